import { useEffect, useState } from "preact/hooks";
import { ask } from "../../api/client.ts";
import type { ApiDocument } from "../../api/documents.ts";
import { countText, numberText } from "../../components/numbers.ts";
import { durationText, Time } from "../../components/time.tsx";
import { bodyOf, type Wish } from "./wish.ts";

type Estimate = ApiDocument<"SearchEstimate">;

/** So that nobody is asked while somebody types. */
const PAUSE_MS = 400;

/** What the search that stands in the form would cost the archive. The gateway tells it by itself: the archive is not asked. */
export function Cost({ wish }: { readonly wish: Wish }) {
  const estimate = useEstimate(wish);
  return (
    <div role="status" class="quiet">
      {estimate !== undefined && <Facts estimate={estimate} />}
    </div>
  );
}

/** Undefined as long as it cannot be told: what is wrong with a search is said when it is begun. */
function useEstimate(wish: Wish): Estimate | undefined {
  const [estimate, setEstimate] = useState<Estimate>();
  const text = JSON.stringify(bodyOf(wish));
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const tell = (told: Estimate | undefined): void => {
      if (!signal.aborted) setEstimate(told);
    };
    const timer = setTimeout(() => {
      const body: unknown = JSON.parse(text);
      ask<Estimate>("/cohorts/search/estimate", { method: "POST", body, signal }).then(tell, () => tell(undefined));
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [text]);
  return estimate;
}

function Facts({ estimate }: { readonly estimate: Estimate }) {
  const { archive, questions, leastSeconds, retrieval } = estimate;
  const { least, forDates, forSeries, most } = questions;
  const { maximumStudies, studiesPerMinute, workSeconds, doneAt } = retrieval;
  return (
    <ul>
      <li>
        To search asks {archive} {countText(least, "question")}
        {leastSeconds !== null && `, about ${durationText(leastSeconds)} as of late`}
        {most > least && `; ${numberText(most)} at most`}
        {forDates > 0 && `, up to ${numberText(forDates)} to divide dates if it cuts its answers`}
        {forSeries > 0 && `, up to ${numberText(forSeries)} for series if it does not tell modalities`}.
      </li>
      <Opening estimate={estimate} />
      {studiesPerMinute !== null && (
        <li>
          What is found is retrieved at {numberText(studiesPerMinute)} studies a minute at most
          {workSeconds !== null &&
            `: ${countText(maximumStudies, "study", "studies")} take ${durationText(workSeconds)}`}
          {doneAt !== null && (
            <>
              , done <Time at={doneAt} /> at the earliest
            </>
          )}
          .
        </li>
      )}
    </ul>
  );
}

const NOT_OPEN = { closed: "is outside its windows", resting: "is left alone now", paused: "is paused" } as const;

function Opening({ estimate: { archive, state, startsAt, closesAt } }: { readonly estimate: Estimate }) {
  if (state === "open")
    return closesAt === null ? null : (
      <li>
        What is not asked until its window ends, <Time at={closesAt} />, is left unasked.
      </li>
    );
  return (
    <li>
      {archive} {NOT_OPEN[state]} and cannot be searched now
      {startsAt !== null && (
        <>
          {"; "}
          <Time at={startsAt} /> it can be
        </>
      )}
      .
    </li>
  );
}
