import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ask } from "../api/client.ts";
import type { Page } from "../api/documents.ts";
import { type ApiProblem, toProblem } from "../api/problem.ts";
import { Button } from "./button.tsx";
import { ErrorCard } from "./error-card.tsx";
import { ScrollArea } from "./scroll-area.tsx";

export interface Column<T> {
  readonly title: string;
  readonly cell: (item: T) => ComponentChildren;
  readonly isNumber?: boolean;
  /** Left out where the screen is narrow. */
  readonly isMinor?: boolean;
}

interface DataTableProps<T> {
  /** Read out before the table; not shown. */
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly items: readonly T[];
  readonly keyOf: (item: T) => string;
  /** Said where there is nothing. */
  readonly empty?: ComponentChildren;
}

export function DataTable<T>({ caption, columns, items, keyOf, empty = "Nothing here." }: DataTableProps<T>) {
  const classOf = ({ isNumber, isMinor }: Column<T>, isWord = false): string | undefined =>
    [isNumber && "number", isMinor && "minor", isWord && "word"].filter(Boolean).join(" ") || undefined;
  return (
    <ScrollArea label={caption}>
      <table class="stacks">
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.title} scope="col" class={classOf(column)}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr key={keyOf(item)}>
              {columns.map((column) => {
                const cell = column.cell(item);
                const isWord = typeof cell === "string" && !cell.includes(" ");
                return (
                  <td key={column.title} class={classOf(column, isWord)} data-title={column.title}>
                    {cell}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {items.length === 0 && <p class="empty">{empty}</p>}
    </ScrollArea>
  );
}

export interface Paged<T> {
  readonly items: readonly T[];
  readonly problem: ApiProblem | undefined;
  readonly isLoading: boolean;
  /** Undefined: there is nothing more. */
  readonly loadMore: (() => Promise<void>) | undefined;
  /** Asks for the first page again; those after it are gone. */
  readonly reload: () => void;
  /** Puts another in the place of an item. */
  readonly replace: (isIt: (item: T) => boolean, next: T) => void;
}

/** A list of the API, page after page. @param path with its query, without cursor */
export function usePages<T>(path: string, limit = 50): Paged<T> {
  const [pages, setPages] = useState<{
    readonly path: string;
    readonly items: readonly T[];
    readonly next: string | null;
  }>();
  const [problem, setProblem] = useState<ApiProblem>();
  const [round, setRound] = useState(0);
  const [isLoading, setLoading] = useState(true);
  const current = useRef(path);
  current.current = path;
  const address = useCallback(
    (cursor?: string) =>
      `${path}${path.includes("?") ? "&" : "?"}limit=${limit}${cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`}`,
    [path, limit],
  );
  useEffect(() => {
    const controller = new AbortController();
    setLoading(true);
    ask<Page<T>>(address(), { signal: controller.signal })
      .then(({ items, next }) => {
        setPages({ path, items, next });
        setProblem(undefined);
      })
      .catch((thrown: unknown) => {
        if (!controller.signal.aborted) setProblem(toProblem(thrown));
      })
      .finally(() => {
        if (!controller.signal.aborted) setLoading(false);
      });
    return () => controller.abort();
  }, [address, path, round]);
  const shown = pages?.path === path ? pages : undefined;
  const cursor = shown?.next;
  const loadMore = async (): Promise<void> => {
    if (cursor === null || cursor === undefined) return;
    const { items, next } = await ask<Page<T>>(address(cursor));
    if (current.current !== path) return;
    setPages((before) => ({ path, items: [...(before?.items ?? []), ...items], next }));
  };
  return {
    items: shown?.items ?? [],
    problem,
    isLoading,
    loadMore: cursor ? loadMore : undefined,
    reload: useCallback(() => setRound((before) => before + 1), []),
    replace: useCallback(
      (isIt, next) =>
        setPages((before) => before && { ...before, items: before.items.map((item) => (isIt(item) ? next : item)) }),
      [],
    ),
  };
}

interface PagedTableProps<T> extends Omit<DataTableProps<T>, "items"> {
  readonly pages: Paged<T>;
}

/** A table of such a list, with what went wrong and a button for more. */
export function PagedTable<T>({ pages, empty, ...table }: PagedTableProps<T>) {
  const { items, problem, isLoading, loadMore, reload } = pages;
  if (problem !== undefined && items.length === 0) return <ErrorCard problem={problem} onRetry={reload} />;
  return (
    <>
      <DataTable {...table} items={items} empty={isLoading ? "Loading…" : empty} />
      {loadMore !== undefined && (
        <p class="more">
          <Button onClick={loadMore}>Show more</Button>
        </p>
      )}
    </>
  );
}
