import { useState } from "preact/hooks";
import { ask } from "../../api/client.ts";
import type { ApiDocument, Archive } from "../../api/documents.ts";
import { mayDo, session } from "../../api/session-state.ts";
import { LampBadge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { bytesText, countText } from "../../components/numbers.ts";
import { FullTime, Time } from "../../components/time.tsx";
import { say } from "../../components/toasts.tsx";
import { HoursPart } from "./hours-part.tsx";
import { RateDialog } from "./rate-dialog.tsx";

export interface ArchiveProps {
  readonly archive: Archive;
  /** Something of it is other than it was. */
  readonly onChanged: () => void;
}

/** Archives are a matter of the whole site. */
export function mayControl(): boolean {
  return mayDo("operator") && typeof session.value === "object" && session.value.projects === null;
}

export function archivePath({ name }: Archive): string {
  return `/archives/${encodeURIComponent(name)}`;
}

export function ArchiveCard({ archive, onChanged }: ArchiveProps) {
  const { name, kind, address, retrieve, state, associations } = archive;
  return (
    <section class="card" aria-label={`Archive ${name}`}>
      <header class="card-header">
        <h2 class="archive-name">
          {name} <LampBadge state={state} />
        </h2>
        <span class="quiet">
          {kind}
          {retrieve === undefined ? "" : `, ${retrieve}`}
        </span>
      </header>
      <div class="archive-state">
        <p>
          <Why archive={archive} />
        </p>
        <p class="quiet">
          <code>{address}</code>, {countText(associations, "connection")} at once
        </p>
        <Rate archive={archive} />
      </div>
      {mayControl() && <Controls archive={archive} onChanged={onChanged} />}
      <HoursPart archive={archive} onChanged={onChanged} />
    </section>
  );
}

/** What its lamp stands for, in words. */
function Why({ archive: { state, code, until, opensAt, closesAt } }: { readonly archive: Archive }) {
  if (state === "paused") return <>Paused: it is asked for nothing more until it is resumed.</>;
  if (state === "closed")
    return opensAt === undefined ? (
      <>Closed: none of its windows will ever open.</>
    ) : (
      <>
        Closed; opens <Time at={opensAt} />, <FullTime at={opensAt} />.
      </>
    );
  if (state === "resting")
    return (
      <>
        Left alone for a while: <code>{code}</code>
        {until !== undefined && (
          <>
            , asked again <Time at={until} />
          </>
        )}
        .
      </>
    );
  return closesAt === undefined ? (
    <>Open.</>
  ) : (
    <>
      Open; closes <Time at={closesAt} />, <FullTime at={closesAt} />.
    </>
  );
}

function Rate({ archive: { studiesPerMinute, bytesPerSecond, changed } }: { readonly archive: Archive }) {
  const studies =
    studiesPerMinute === undefined ? "any number of studies" : countText(studiesPerMinute, "study", "studies");
  const bytes = bytesPerSecond === undefined ? "as fast as it sends" : `${bytesText(bytesPerSecond)} a second`;
  const ours = changed.filter((each) => each === "studiesPerMinute" || each === "bytesPerSecond");
  return (
    <p class="quiet">
      {studies} a minute, {bytes}
      {ours.length > 0 && " (changed here, not as the settings say)"}
    </p>
  );
}

function Controls({ archive, onChanged }: ArchiveProps) {
  const [isRateOpen, setRateOpen] = useState(false);
  const [answer, setAnswer] = useState<ApiDocument<"Echo">>();
  const path = archivePath(archive);
  const verb = archive.state === "paused" ? "resume" : "pause";
  return (
    <>
      <div class="actions">
        <Button
          label={`${verb === "pause" ? "Pause" : "Resume"} ${archive.name}`}
          onClick={async () => {
            await ask<Archive>(`${path}/${verb}`, { method: "POST" });
            say(`${archive.name} is ${verb === "pause" ? "paused" : "asked again"}.`);
            onChanged();
          }}
        >
          {verb === "pause" ? "Pause" : "Resume"}
        </Button>
        <Button
          label={`Echo ${archive.name}`}
          onClick={async () => {
            setAnswer(undefined);
            setAnswer(await ask<ApiDocument<"Echo">>(`${path}/echo`, { method: "POST" }));
            onChanged();
          }}
        >
          Echo
        </Button>
        <Button label={`Change the rate of ${archive.name}`} onClick={() => setRateOpen(true)}>
          Rate…
        </Button>
      </div>
      <div role="status" class="archive-answer">
        {answer !== undefined && <EchoAnswer answer={answer} />}
      </div>
      <RateDialog archive={archive} isOpen={isRateOpen} onClose={() => setRateOpen(false)} onChanged={onChanged} />
    </>
  );
}

function EchoAnswer({ answer: { ok, milliseconds, code, message, remedy } }: { readonly answer: ApiDocument<"Echo"> }) {
  if (ok) return <p>It answered in {Math.max(1, Math.round(milliseconds))} ms.</p>;
  return (
    <p>
      It did not answer: {message} <code>{code}</code> {remedy}
    </p>
  );
}
