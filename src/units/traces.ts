/** Names of the settings, words of the program and the gateway's own ids of jobs: never what tells a patient or a study. */
export type SpanAttributes = Readonly<Record<string, string | number>>;

/** The port; `observe/` makes the real one. */
export interface Traces {
  /** Runs the work within a span, below that which it was called in; what the work throws is thrown. */
  within<T>(name: string, attributes: SpanAttributes, work: () => Promise<T>): Promise<T>;
}

export const noTraces: Traces = { within: (_name, _attributes, work) => work() };
