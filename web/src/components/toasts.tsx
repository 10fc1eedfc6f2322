import { signal } from "@preact/signals";
import { toProblem } from "../api/problem.ts";

interface Toast {
  readonly id: number;
  readonly tone: "good" | "bad";
  readonly text: string;
}

const toasts = signal<readonly Toast[]>([]);
const SHOWN_MS = 8_000;
const MOST = 4;
let lastId = 0;

/** Says that something was done, or not, without taking the focus. */
export function say(text: string, tone: Toast["tone"] = "good"): void {
  lastId += 1;
  const id = lastId;
  toasts.value = [...toasts.value, { id, tone, text }].slice(-MOST);
  setTimeout(() => dismiss(id), SHOWN_MS);
}

/** The same of anything thrown: what, its code, the remedy. */
export function sayProblem(thrown: unknown): void {
  const { code, message, remedy } = toProblem(thrown);
  say(`${message} (${code}). ${remedy}`, "bad");
}

function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

/** There from the beginning, so that what comes into it is read out. */
export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, tone, text }) => (
        <div key={id} class={`toast toast-${tone}`}>
          <span>{text}</span>
          <button type="button" class="icon-button" aria-label="Dismiss" onClick={() => dismiss(id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
