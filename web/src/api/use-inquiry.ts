import { useEffect, useRef, useState } from "preact/hooks";
import { ask } from "./client.ts";
import type { ApiDocument } from "./documents.ts";

export type Inquiry = ApiDocument<"Inquiry">;
export type InquiryItem = ApiDocument<"InquiryItemPage">["items"][number];

/** Found so much of it is shown; programs and the command line get all. */
const SHOWN = 200;
const LOOK_EVERY_MS = 400;

interface Followed {
  readonly inquiry: Inquiry | undefined;
  /** The first ones, in order; once it has ended. */
  readonly items: readonly InquiryItem[];
  /** Begins one, and follows it until it ends; an earlier one is no longer shown. @throws ApiProblem */
  readonly begin: (
    path: string,
    options: { readonly query?: Record<string, string>; readonly body: unknown },
  ) => Promise<void>;
  readonly cancel: () => Promise<void>;
}

/** A question that the gateway works on: asked, looked at until it is done, left when the page is. */
export function useInquiry(): Followed {
  const [inquiry, setInquiry] = useState<Inquiry>();
  const [items, setItems] = useState<readonly InquiryItem[]>([]);
  const latest = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => latest.current?.abort(), []);
  const follow = async (begun: Inquiry, signal: AbortSignal): Promise<void> => {
    let now = begun;
    setItems([]);
    setInquiry(now);
    while (now.state === "running") {
      await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
      if (signal.aborted) return;
      now = await ask<Inquiry>(`/inquiries/${now.id}`, { signal });
      setInquiry(now);
    }
    const found = await ask<{ readonly items: readonly InquiryItem[] }>(`/inquiries/${now.id}/items`, {
      query: { limit: SHOWN },
      signal,
    });
    setItems(found.items);
  };
  return {
    inquiry,
    items,
    async begin(path, { query, body }) {
      latest.current?.abort();
      const controller = new AbortController();
      latest.current = controller;
      const { signal } = controller;
      try {
        const begun = await ask<Inquiry>(path, {
          method: "POST",
          body,
          signal,
          ...(query === undefined ? {} : { query }),
        });
        await follow(begun, signal);
      } catch (thrown) {
        if (!signal.aborted) throw thrown;
      }
    },
    async cancel() {
      if (inquiry?.state === "running") await ask(`/inquiries/${inquiry.id}/cancel`, { method: "POST" });
    },
  };
}
