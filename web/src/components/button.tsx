import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { sayProblem } from "./toasts.tsx";

interface ButtonProps {
  readonly children: ComponentChildren;
  readonly onClick: () => void | Promise<void>;
  readonly kind?: "plain" | "primary" | "danger";
  readonly isDisabled?: boolean;
  /** Where the text alone does not say what it is about. */
  readonly label?: string | undefined;
}

/** A button that waits for what it began, and says what went wrong with it. */
export function Button({ children, onClick, kind = "plain", isDisabled = false, label }: ButtonProps) {
  const [isBusy, setBusy] = useState(false);
  const isThere = useRef(true);
  useEffect(
    () => () => {
      isThere.current = false;
    },
    [],
  );
  const run = async (): Promise<void> => {
    if (isBusy) return;
    setBusy(true);
    try {
      await onClick();
    } catch (thrown) {
      sayProblem(thrown);
    } finally {
      if (isThere.current) setBusy(false);
    }
  };
  return (
    <button
      type="button"
      class={`button button-${kind}`}
      disabled={isDisabled}
      aria-busy={isBusy}
      aria-label={label}
      onClick={() => void run()}
    >
      {children}
    </button>
  );
}
