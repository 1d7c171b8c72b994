/** Types of the browser library; docs/web-client.md explains them. A test compares the names with the classes. */

export type ConnectionState = "connecting" | "connected" | "reconnecting" | "disconnected";
export type AssistantState = "opening" | "listening" | "thinking" | "speaking" | "idle";
export type Language = "en" | "de";

export interface Quality {
  /** Bytes of s16le at 16 kHz in one message: an even number from 64 to 32768. */
  chunkSize: number;
  /** Longest wait until a chunk is sent, 5 … 1000 ms. */
  chunkIntervalMs: number;
  /** Samples at 16 kHz of a reply that are gathered before it begins to sound, 0 … 16000. */
  bufferSize: number;
}

export interface Config extends Quality {
  wsUrl: string;
  adaptiveQuality: boolean;
  maxReconnectAttempts: number;
  language: Language;
  speakReplies: boolean;
}

export interface Interface {
  statusElement: HTMLElement | null;
  responseElement: HTMLElement | null;
  recordButton: HTMLElement | null;
  metricsElement: HTMLElement | null;
}

export interface Latencies {
  average: number | null;
  last: number | null;
  min: number | null;
  max: number | null;
  p50: number | null;
  p95: number | null;
  count: number;
}

export interface Chunk {
  firstSampleMs: number;
  lastSampleMs: number;
  sentAtMs: number;
  bytes: number;
  preRoll: boolean;
}

export interface AudioMetrics extends Quality {
  chunksSent: number;
  totalBytes: number;
  bufferedBytes: number;
  captureToSendMs: { p50: number | null; p95: number | null; count: number };
  inputLatencyMs: number | null;
  recentChunks: Chunk[];
  underruns: number;
}

export interface Metrics {
  connected: boolean;
  state: ConnectionState;
  reconnects: number;
  latency: Latencies;
  audio: AudioMetrics & { preset: string; chosenPreset: string };
  lastTurn: null | {
    id: string;
    kind: "voice" | "text";
    peak: number;
    processingTimeMs: number | null;
    stages: Record<string, number>;
    /** What the person waited for, from the last sample spoken to the first heard; the parts add up. */
    waits: null | { totalMs: number; parts: { name: string; ms: number; setting?: string }[] };
    pageMs: { final: number | null; answer: number | null; firstAudio: number | null };
  };
}

export interface Turn {
  readonly id: string;
  readonly kind: "voice" | "text";
  readonly language: Language;
  readonly heard: string;
  readonly reply: string;
  readonly outcome: "open" | "answered" | "failed" | "cancelled";
  readonly truncated: boolean;
  readonly place: number | null;
  readonly intent: string;
  readonly meant: string;
  readonly values: Record<string, string | number>;
  readonly canBeUndone: boolean;
}

/** A JSON message from the device, as docs/protocol.md describes it. */
export interface Message {
  type: string;
  [field: string]: unknown;
}

export class OptimizedAudioStreamer {
  onResponse: (message: Message) => void;
  onState: (state: ConnectionState, details: { code?: number; reason?: string; delayMs?: number }) => void;
  onLevel: (level: { peak: number; rms: number }) => void;
  onSpeech: (id: string) => void;
  acceptsSpeech: (id: string) => boolean;
  readonly inForce: Quality;
  readonly isSpeaking: boolean;
  ping(): Promise<number>;
  choose(chosen: Quality & { adaptiveQuality?: boolean }): void;
  startCapture(turn: Turn): void;
  stopCapture(): Promise<void>;
  silence(id?: string): boolean;
  spoken(id: string): void;
  metrics(): AudioMetrics;
}

export class EnhancedVoiceAssistant {
  constructor(options?: Partial<Config>);
  ui: Interface;
  onchange: (what: "state" | "turn" | "level" | "welcome" | "announce" | "board" | "settings" | "taught" | "microphone", detail: any) => void;
  welcome: Message | null;
  notice: string;
  config: Config;
  readonly streamer: OptimizedAudioStreamer;
  readonly isRecording: boolean;
  readonly connectionState: ConnectionState;
  readonly microphoneIsOpen: boolean;
  readonly state: AssistantState;
  readonly waitingPlace: number | null;
  readonly level: number;
  readonly soundIsOpen: boolean;
  readonly retryInMs: number | null;
  readonly arrivedShare: number | null;
  /** Nobody speaks, and the device waits whether they go on; null otherwise. In ms. */
  readonly endsIn: { leftMs: number; ofMs: number } | null;
  initialize(): Promise<boolean>;
  reconnect(): void;
  startRecording(): Promise<boolean>;
  endBySilence(): void;
  stopRecording(): Promise<void>;
  cancelRecording(): Promise<void>;
  sendText(text: string): Promise<void>;
  silence(id?: string): void;
  follow(): void;
  changeTimer(timer: number, what: "pause" | "resume" | "extend" | "cancel" | "stop" | "snooze", seconds?: number): boolean;
  changeItem(list: string, item: string, what: "add" | "remove"): boolean;
  showSettings(): boolean;
  set(choices: { volume?: number; speed?: number; voice?: string; name?: string; quiet?: [string, string] | false; fetch?: string }): boolean;
  openSound(wishes?: { chime?: boolean }): Promise<void>;
  openMicrophone(): Promise<boolean>;
  closeMicrophone(): void;
  outOfSight(): Promise<void>;
  getMetrics(): Metrics;
  benchmarkLatency(n?: number): Promise<{ avg: number; min: number; max: number; results: number[] }>;
}

declare global {
  var EnhancedVoiceAssistant: typeof import("./EnhancedVoiceAssistant.js").EnhancedVoiceAssistant;
  var OptimizedAudioStreamer: typeof import("./EnhancedVoiceAssistant.js").OptimizedAudioStreamer;
  var OPTIMIZATION_CONFIGS: Record<"ultraLow" | "balanced" | "stable", Quality>;
}
