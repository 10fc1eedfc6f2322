/** What the soak asks its service. */
export type ServiceQuestion =
  | { readonly kind: "submit"; readonly path: string; readonly project: string }
  | { readonly kind: "look"; readonly cohort: string }
  | { readonly kind: "stop" };

export interface ServiceState {
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly externalBytes: number;
  /** Since its start, all threads. */
  readonly processorMs: number;
  /** Sockets, timers, requests and the like that keep its event loop going. */
  readonly handles: number;
  readonly openFiles: number;
  /** Event loop, the 99th percentile since the last look. */
  readonly delayMs: number;
}

export type ServiceAnswer =
  | { readonly kind: "ready"; readonly dicomPort: number }
  | { readonly kind: "submitted"; readonly cohort: string }
  | ({
      readonly kind: "state";
      readonly done: boolean;
      readonly states: Readonly<Record<string, number>>;
    } & ServiceState)
  | { readonly kind: "failed"; readonly why: string };
