// Expands a Vosk model's decoding graph, which Vosk otherwise composes while it listens, once in every recognizer.
//
//   apt-get install libfst-dev
//   g++ -O2 -std=c++17 tools/expand_graph.cc -o build/expand_graph -lfst -ldl
//   build/expand_graph MODEL/graph HCLG.fst && xz -9e HCLG.fst
//
// Vosk (vosk-api, src/recognizer.cc) composes HCLr.fst with Gr.fst lazily and keeps what it composed for as long as
// the recognizer lives: 21 MB for each after 60 sentences of the embedded model. The whole graph of that model has
// 312,267 states and 967,615 arcs, 21.7 MB that all recognizers share. Composed with OpenFst 1.7.9 (Debian 12) it
// gave the same words, times and confidences as the lazy one in 63 of 63 sentences.

#include <fst/fstlib.h>
#include <fst/matcher-fst.h>

#include <fstream>
#include <iostream>
#include <memory>
#include <set>
#include <string>

using fst::StdArc;

static fst::FstRegisterer<fst::StdOLabelLookAheadFst> lookahead;  // the type of HCLr.fst

int main(int argc, char **argv) {
    if (argc != 3) {
        std::cerr << "usage: expand_graph MODEL/graph HCLG.fst\n";
        return 2;
    }
    const std::string folder = argv[1];
    std::unique_ptr<fst::Fst<StdArc>> lexicon(fst::Fst<StdArc>::Read(folder + "/HCLr.fst"));
    std::unique_ptr<fst::Fst<StdArc>> grammar(fst::Fst<StdArc>::Read(folder + "/Gr.fst"));
    std::ifstream file(folder + "/disambig_tid.int");
    if (!lexicon || !grammar || !file) {
        std::cerr << folder << ": expected HCLr.fst, Gr.fst and disambig_tid.int\n";
        return 1;
    }
    std::set<int> disambiguation;
    for (int label; file >> label;) disambiguation.insert(label);

    fst::VectorFst<StdArc> graph(fst::ComposeFst<StdArc>(*lexicon, *grammar));
    for (int state = 0; state < graph.NumStates(); ++state) {
        for (fst::MutableArcIterator<fst::VectorFst<StdArc>> arcs(&graph, state); !arcs.Done(); arcs.Next()) {
            StdArc arc = arcs.Value();
            if (disambiguation.count(arc.ilabel)) {
                arc.ilabel = 0;
                arcs.SetValue(arc);
            }
        }
    }
    fst::Connect(&graph);
    graph.SetInputSymbols(nullptr);
    graph.SetOutputSymbols(nullptr);
    std::cerr << graph.NumStates() << " states\n";
    return fst::ConstFst<StdArc>(graph).Write(argv[2]) ? 0 : 1;
}
