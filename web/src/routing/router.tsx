import { computed, signal } from "@preact/signals";
import type { ComponentChildren } from "preact";

/** The address in the browser, without the host. */
const address = signal(location.pathname + location.search);
export const path = computed(() => address.value.split("?")[0] ?? "/");
export const query = computed(() => new URLSearchParams(address.value.split("?")[1] ?? ""));

addEventListener("popstate", () => {
  address.value = location.pathname + location.search;
});

/** Goes to another page, or to the same one with another query. */
export function navigate(to: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  if (to === address.value) return;
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  address.value = to;
}

/** Changes parameters of the query and stays on the page; undefined or empty removes one. */
export function setQuery(changes: Readonly<Record<string, string | undefined>>): void {
  const next = new URLSearchParams(query.value);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === "") next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  navigate(path.value + (text === "" ? "" : `?${text}`), { replace: true });
}

export type Parameters = Readonly<Record<string, string>>;

/** What `:names` of a pattern stand for in a path; undefined where it does not match. */
export function matchPath(pattern: string, actual: string): Parameters | undefined {
  const wanted = pattern.split("/");
  const given = actual.replace(/(?<=.)\/$/, "").split("/");
  if (wanted.length !== given.length) return undefined;
  const found: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const text = given[index] ?? "";
    if (part.startsWith(":") && text !== "") found[part.slice(1)] = text;
    else if (part !== text) return undefined;
  }
  return found;
}

interface LinkProps {
  readonly to: string;
  readonly children: ComponentChildren;
  readonly class?: string | undefined;
  readonly isCurrent?: boolean;
  readonly label?: string | undefined;
}

/** A link within the dashboard; with a modifier key the browser does what it always does. */
export function Link({ to, children, class: className, isCurrent = false, label }: LinkProps) {
  const onClick = (event: MouseEvent): void => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(to);
  };
  return (
    <a href={to} class={className} onClick={onClick} aria-current={isCurrent ? "page" : undefined} aria-label={label}>
      {children}
    </a>
  );
}
