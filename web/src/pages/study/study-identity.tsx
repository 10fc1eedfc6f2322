import { Fragment } from "preact";
import { useState } from "preact/hooks";
import { ask } from "../../api/client.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import type { Identity } from "./documents.ts";

/** Who the study is of: for admins, on demand, and gone again with the page. */
export function StudyIdentity({ id }: { readonly id: string }) {
  const [isAsked, setAsked] = useState(false);
  const [identity, setIdentity] = useState<Identity>();
  if (identity !== undefined) return <Shown identity={identity} onHide={() => setIdentity(undefined)} />;
  return (
    <>
      <p>Who it is of is not shown here. That you look it up is written to the audit trail.</p>
      <div class="actions">
        <Button onClick={() => setAsked(true)}>Who is it?</Button>
      </div>
      <ConfirmDialog
        title="Show who this study is of?"
        isOpen={isAsked}
        onClose={() => setAsked(false)}
        action="Show it, and write that down"
        kind="danger"
        onConfirm={async () => setIdentity(await ask<Identity>(`/studies/${encodeURIComponent(id)}/identity`))}
      >
        <p>
          Patient ID, accession number and study UID as the hospital has them are shown on your screen. Your name, the
          time and this study are written to the audit trail first.
        </p>
      </ConfirmDialog>
    </>
  );
}

function Shown({ identity, onHide }: { readonly identity: Identity; readonly onHide: () => void }) {
  const facts = [
    ["Patient ID", identity.patientId],
    ["Accession number", identity.accessionNumber],
    ["Study Instance UID", identity.studyInstanceUid],
  ] as const;
  return (
    <>
      <dl class="facts">
        {facts.map(([name, value]) => (
          <Fragment key={name}>
            <dt>{name}</dt>
            <dd>{value === null ? "not known" : <code>{value}</code>}</dd>
          </Fragment>
        ))}
      </dl>
      <div class="actions">
        <Button onClick={onHide}>Hide it</Button>
      </div>
    </>
  );
}
