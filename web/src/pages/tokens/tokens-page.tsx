import "./tokens.css";
import { useState } from "preact/hooks";
import { ask } from "../../api/client.ts";
import type { ApiDocument } from "../../api/documents.ts";
import { useRefresh } from "../../api/live.ts";
import { useData } from "../../api/use-data.ts";
import { Badge, type Tone } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { ConfirmDialog, Dialog } from "../../components/dialog.tsx";
import { ErrorCard } from "../../components/error-card.tsx";
import { Page } from "../../components/page.tsx";
import { Time } from "../../components/time.tsx";
import { say } from "../../components/toasts.tsx";
import { NewTokenForm } from "./new-token-form.tsx";

type Token = ApiDocument<"Token">;
type NewToken = ApiDocument<"NewToken">;

const TONES: Readonly<Record<Token["state"], Tone>> = { good: "good", expired: "calm", revoked: "bad" };

/** Who may use the API and this dashboard. */
export function TokensPage() {
  const { data, problem, reload } = useData<{ readonly items: readonly Token[] }>("/tokens");
  const [isFormOpen, setFormOpen] = useState(false);
  const [made, setMade] = useState<NewToken>();
  const [ending, setEnding] = useState<Token>();
  useRefresh(reload);
  const columns = columnsOf(setEnding);
  return (
    <Page
      title="Tokens"
      actions={
        <Button kind="primary" onClick={() => setFormOpen(true)}>
          New token
        </Button>
      }
    >
      {problem !== undefined && data === undefined && <ErrorCard problem={problem} onRetry={reload} />}
      {data !== undefined && (
        <DataTable
          caption="Tokens"
          columns={columns}
          items={data.items}
          keyOf={({ id }) => id}
          empty="There is none."
        />
      )}
      <Dialog title="New token" isOpen={isFormOpen} onClose={() => setFormOpen(false)}>
        <NewTokenForm
          onMade={(token) => {
            setFormOpen(false);
            setMade(token);
            reload();
          }}
          onClose={() => setFormOpen(false)}
        />
      </Dialog>
      <Dialog title={`Token of ${made?.name ?? ""}`} isOpen={made !== undefined} onClose={() => setMade(undefined)}>
        {made !== undefined && <ShownOnce token={made.token} onClose={() => setMade(undefined)} />}
      </Dialog>
      <ConfirmDialog
        title={`Revoke ${ending?.name ?? ""}?`}
        isOpen={ending !== undefined}
        onClose={() => setEnding(undefined)}
        action="Revoke the token"
        kind="danger"
        onConfirm={async () => {
          if (ending === undefined) return;
          await ask<Token>(`/tokens/${encodeURIComponent(ending.id)}`, { method: "DELETE" });
          say(`${ending.name} opens nothing any more.`);
          reload();
        }}
      >
        <p>Whatever uses it is refused from now on, and sessions that were begun with it end.</p>
      </ConfirmDialog>
    </Page>
  );
}

function columnsOf(onRevoke: (token: Token) => void): readonly Column<Token>[] {
  return [
    { title: "Name", cell: ({ name }) => name },
    { title: "Role", cell: ({ role }) => role },
    { title: "Projects", isMinor: true, cell: ({ projects }) => projects?.join(", ") ?? "all" },
    { title: "State", cell: ({ state }) => <Badge tone={TONES[state]}>{state}</Badge> },
    { title: "Made", isMinor: true, cell: ({ createdAt }) => <Time at={createdAt} /> },
    { title: "Ends", isMinor: true, cell: ({ expiresAt }) => <Time at={expiresAt} /> },
    {
      title: "Revoke",
      cell: (token) =>
        token.state === "good" && (
          <Button kind="danger" label={`Revoke ${token.name}`} onClick={() => onRevoke(token)}>
            Revoke
          </Button>
        ),
    },
  ];
}

/** Browsers give it over TLS and on this machine alone. */
const hasClipboard = "clipboard" in navigator;

function ShownOnce({ token, onClose }: { readonly token: string; readonly onClose: () => void }) {
  return (
    <>
      <p>It is shown this once: nobody can look it up later. Keep it where passwords are kept.</p>
      <p>
        <code class="secret">{token}</code>
      </p>
      <div class="actions">
        {hasClipboard && (
          <Button
            kind="primary"
            onClick={async () => {
              await navigator.clipboard.writeText(token);
              say("It is in the clipboard.");
            }}
          >
            Copy
          </Button>
        )}
        <Button onClick={onClose}>I have it</Button>
      </div>
    </>
  );
}
