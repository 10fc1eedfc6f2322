import { useMemo, useState } from "preact/hooks";
import { apiUrl, ask } from "../../api/client.ts";
import type { Inquiry, InquiryItem } from "../../api/use-inquiry.ts";
import { newKey } from "../../browser/new-key.ts";
import { Button } from "../../components/button.tsx";
import { countText, numberText } from "../../components/numbers.ts";
import { Card } from "../../components/page.tsx";
import { say } from "../../components/toasts.tsx";
import { navigate } from "../../routing/router.tsx";
import { InquiryLine } from "../cohorts/inquiry-line.tsx";
import { ALL_ROWS, type Choice, choiceBody, countChosen, MOST_ROWS } from "./choice.ts";
import { FoundTable } from "./found-table.tsx";
import { StandingDialog } from "./standing-dialog.tsx";
import type { Wish } from "./wish.ts";

type Search = Extract<Inquiry, { readonly kind: "search" }>;
type Summary = NonNullable<Search["summary"]>;

interface OutcomeProps {
  readonly inquiry: Search;
  readonly items: readonly InquiryItem[];
  /** What was asked for. */
  readonly wish: Wish;
  readonly onStop: () => Promise<void>;
}

/** What a search found and what it cost; then its rows, and what can be made of them. */
export function Outcome({ inquiry, items, wish, onStop }: OutcomeProps) {
  const [choice, setChoice] = useState<Choice>(ALL_ROWS);
  const [isStanding, setStanding] = useState(false);
  const { summary, state } = inquiry;
  const studies = summary?.studies ?? 0;
  const isKept = summary?.isKept === true && studies > 0;
  return (
    <Card title={summary === null ? "Search" : countText(studies, "study", "studies")}>
      {state !== "done" && <InquiryLine inquiry={inquiry} unit="query" />}
      {state === "running" && (
        <div class="actions">
          <Button onClick={onStop}>Stop</Button>
        </div>
      )}
      <div role="status">{summary !== null && <Facts summary={summary} items={items} />}</div>
      {isKept && <FoundTable inquiry={inquiry.id} total={studies} choice={choice} onChoose={setChoice} />}
      {summary !== null && (
        <div class="actions">
          {isKept && <SubmitButton inquiry={inquiry} choice={choice} total={studies} />}
          {isKept && (
            <a class="button" href={apiUrl(`/inquiries/${inquiry.id}/result`)} download={`${inquiry.id}.csv`}>
              All as a cohort file
            </a>
          )}
          <Button onClick={() => setStanding(true)}>Repeat it by a timetable</Button>
        </div>
      )}
      {isStanding && <StandingDialog wish={wish} onClose={() => setStanding(false)} />}
    </Card>
  );
}

/** Before anything is submitted: how much it would be, and what to ask cost the archive. */
function Facts({ summary, items }: { readonly summary: Summary; readonly items: readonly InquiryItem[] }) {
  const { instances, studiesWithoutCount, questions, passedOver, modalityUntold, cutDays, isComplete, isKept } =
    summary;
  const codes = items.flatMap((item) => ("cutDays" in item && item.code !== null ? [item.code] : []));
  return (
    <ul>
      <li>
        {countText(instances, "instance")} to retrieve
        {studiesWithoutCount > 0 &&
          `; of ${countText(studiesWithoutCount, "study", "studies")} the archive does not say`}
      </li>
      <li>
        The archive was asked {countText(questions, "question")}
        {passedOver > 0 && `; ${countText(passedOver, "answer")} did not match, and were passed over`}
        {modalityUntold > 0 &&
          `; of ${countText(modalityUntold, "study", "studies")} it does not say of which modality they are`}
        .
      </li>
      {!isKept && <li>Nothing of it is kept.</li>}
      {!isComplete && (
        <li>
          <strong>There may be more.</strong>{" "}
          {cutDays > 0 && `Of ${countText(cutDays, "day")} the archive may have held studies back. `}
          {codes.map((code) => (
            <code key={code}>{code}</code>
          ))}
        </li>
      )}
    </ul>
  );
}

interface SubmitButtonProps {
  readonly inquiry: Search;
  readonly choice: Choice;
  readonly total: number;
}

function SubmitButton({ inquiry: { id, project }, choice, total }: SubmitButtonProps) {
  // Submitted twice by the same key, it is one cohort.
  const key = useMemo(() => newKey(), [choice]);
  const count = countChosen(choice, total);
  const submit = async (): Promise<void> => {
    const { cohort, accepted } = await ask<{ readonly cohort: string; readonly accepted: number }>(
      `/inquiries/${id}/submit-chosen`,
      { method: "POST", body: choiceBody(choice), key },
    );
    say(`Submitted ${countText(accepted, "study", "studies")} as ${cohort}.`);
    navigate(`/cohorts/${cohort}`);
  };
  return (
    <Button kind="primary" onClick={submit} isDisabled={count === 0 || choice.rows.size > MOST_ROWS}>
      {`Submit ${numberText(count)} of ${countText(total, "study", "studies")} to ${project}`}
    </Button>
  );
}
