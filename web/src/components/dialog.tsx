import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Button } from "./button.tsx";

interface DialogProps {
  readonly title: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** The browser's own: it keeps the focus inside, closes by Escape, and gives the focus back. */
export function Dialog({ title, isOpen, onClose, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = element.current;
    if (dialog === null) return;
    if (isOpen && !dialog.open) dialog.showModal();
    if (!isOpen && dialog.open) dialog.close();
  }, [isOpen]);
  return (
    <dialog ref={element} class="dialog" aria-labelledby={titleId} onClose={onClose}>
      <h2 id={titleId}>{title}</h2>
      {isOpen && children}
    </dialog>
  );
}

interface ConfirmDialogProps extends DialogProps {
  /** The verb of what is done: "Cancel the cohort". */
  readonly action: string;
  readonly kind?: "primary" | "danger";
  /** It closes when this is done; what it throws is said. */
  readonly onConfirm: () => Promise<void>;
}

export function ConfirmDialog({ action, kind = "primary", onConfirm, children, ...dialog }: ConfirmDialogProps) {
  return (
    <Dialog {...dialog}>
      {children}
      <div class="actions">
        <Button
          kind={kind}
          onClick={async () => {
            await onConfirm();
            dialog.onClose();
          }}
        >
          {action}
        </Button>
        <Button onClick={dialog.onClose}>Go back</Button>
      </div>
    </Dialog>
  );
}
