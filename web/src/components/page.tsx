import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface PageProps {
  readonly title: string;
  /** Beside the title: what can be done on this page. */
  readonly actions?: ComponentChildren;
  /** Above the title: where one came from. */
  readonly above?: ComponentChildren;
  readonly children: ComponentChildren;
}

let isFirstPage = true;

/** The frame of every page. On arrival the title has the focus, so that a screen reader says where one is. */
export function Page({ title, actions, above, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Radferry`;
  }, [title]);
  useEffect(() => {
    if (isFirstPage) isFirstPage = false;
    else heading.current?.focus();
  }, []);
  return (
    <>
      <header class="page-header">
        <div>
          {above !== undefined && <div class="page-above">{above}</div>}
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
        </div>
        {actions !== undefined && <div class="actions">{actions}</div>}
      </header>
      {children}
    </>
  );
}

/** A titled part of a page. */
export function Card({
  title,
  children,
  aside,
}: {
  readonly title: string;
  readonly children: ComponentChildren;
  readonly aside?: ComponentChildren;
}) {
  return (
    <section class="card">
      <header class="card-header">
        <h2>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}
