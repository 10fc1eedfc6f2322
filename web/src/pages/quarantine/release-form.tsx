import { useId, useState } from "preact/hooks";
import { ask } from "../../api/client.ts";
import type { Study } from "../../api/documents.ts";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { countText } from "../../components/numbers.ts";
import { say } from "../../components/toasts.tsx";
import type { Instance } from "../study/documents.ts";
import { InstanceTable } from "./instance-table.tsx";
import { allowTagsOf, NO_WISH, objectionTo, placesOf, REASON_LIMIT, releaseBody, type Wish } from "./wish.ts";

interface ReleaseFormProps {
  readonly study: Study;
  readonly onDone: () => void;
}

function toggled<T>(set: ReadonlySet<T>, item: T): ReadonlySet<T> {
  const next = new Set(set);
  if (!next.delete(item)) next.add(item);
  return next;
}

/** Names what a study may go without, or with, and why. It is de-identified and verified again all the same. */
export function ReleaseForm({ study, onDone }: ReleaseFormProps) {
  const [wish, setWish] = useState<Wish>(NO_WISH);
  const [objection, setObjection] = useState<string>();
  const [isAsked, setAsked] = useState(false);
  const change = (part: Partial<Wish>): void => {
    setWish({ ...wish, ...part });
    setObjection(undefined);
  };
  const instances = study.instances ?? [];
  const release = async (): Promise<void> => {
    await ask(`/studies/${encodeURIComponent(study.id)}/release`, { method: "POST", body: releaseBody(wish) });
    say("The study is de-identified and verified again.");
    onDone();
  };
  return (
    <form
      class="release-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        const found = objectionTo(wish);
        setObjection(found);
        setAsked(found === undefined);
      }}
    >
      <InstanceTable
        instances={instances}
        leftOut={wish.leaveOut}
        onToggle={(number) => change({ leaveOut: toggled(wish.leaveOut, number) })}
      />
      <Exceptions wish={wish} instances={instances} change={change} />
      <Reason wish={wish} change={change} />
      <p role="alert" class="objection">
        {objection}
      </p>
      <div class="actions">
        <button type="submit" class="button button-primary">
          Release…
        </button>
      </div>
      <ConfirmDialog
        title="Release this study?"
        isOpen={isAsked}
        onClose={() => setAsked(false)}
        action="Release it"
        kind="danger"
        onConfirm={release}
      >
        <p>{summaryOf(wish, instances)}</p>
        <p>
          It is de-identified and verified again; what else is wrong quarantines it again. Your name, the reason and
          these exceptions go to the audit trail.
        </p>
      </ConfirmDialog>
    </form>
  );
}

interface PartProps {
  readonly wish: Wish;
  readonly change: (part: Partial<Wish>) => void;
}

function Exceptions({ wish, instances, change }: PartProps & { readonly instances: readonly Instance[] }) {
  const rejected = instances.filter(({ state }) => state === "rejected").length;
  const places = placesOf(instances);
  return (
    <fieldset class="exceptions">
      <legend>Exceptions</legend>
      {rejected > 0 && (
        <label class="check">
          <input
            type="checkbox"
            checked={wish.leaveOutRejected}
            onChange={() => change({ leaveOutRejected: !wish.leaveOutRejected })}
          />
          <span>Leave out all that were kept back ({countText(rejected, "instance")})</span>
        </label>
      )}
      {places.map(({ place, found, count }) => (
        <label key={found} class="check">
          <input
            type="checkbox"
            checked={wish.allowed.has(place)}
            onChange={() => change({ allowed: toggled(wish.allowed, place) })}
          />
          <span>
            Let an identifier stand in <code>{place}</code>: {found}, {countText(count, "instance")}
          </span>
        </label>
      ))}
      <label class="field">
        Further tags where an identifier may stand
        <input
          type="text"
          value={wish.furtherTags}
          placeholder="ManufacturerModelName (0008,1030)"
          autocomplete="off"
          spellcheck={false}
          onInput={({ currentTarget }) => change({ furtherTags: currentTarget.value })}
        />
      </label>
    </fieldset>
  );
}

function Reason({ wish, change }: PartProps) {
  const hintId = useId();
  return (
    <div>
      <label class="field">
        Why it may go
        <input
          type="text"
          value={wish.reason}
          maxLength={REASON_LIMIT}
          required
          autocomplete="off"
          aria-describedby={hintId}
          onInput={({ currentTarget }) => change({ reason: currentTarget.value })}
        />
      </label>
      <p id={hintId} class="quiet">
        One line, kept for good. Write nothing of the patient into it.
      </p>
    </div>
  );
}

function summaryOf(wish: Wish, instances: readonly Instance[]): string {
  const rejected = wish.leaveOutRejected ? instances.filter(({ state }) => state === "rejected") : [];
  const leftOut = new Set([...wish.leaveOut, ...rejected.map(({ number }) => number)]).size;
  const tags = allowTagsOf(wish);
  return [
    leftOut === 0 ? undefined : `${countText(leftOut, "instance")} of ${instances.length} stay behind.`,
    tags.length === 0 ? undefined : `An identifier may stand in ${tags.join(", ")}.`,
    `Reason: “${wish.reason.trim()}”.`,
  ]
    .filter((sentence) => sentence !== undefined)
    .join(" ");
}
