import type { ComponentChildren } from "preact";

/** What may be wider than the screen; it has the focus so that arrow keys move it. */
export function ScrollArea({ label, children }: { readonly label: string; readonly children: ComponentChildren }) {
  return (
    <section class="table-frame" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
