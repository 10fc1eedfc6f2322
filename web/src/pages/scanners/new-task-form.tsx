import { useId, useMemo, useState } from "preact/hooks";
import { ask } from "../../api/client.ts";
import { useData } from "../../api/use-data.ts";
import { newKey } from "../../browser/new-key.ts";
import { Button } from "../../components/button.tsx";
import { ErrorCard } from "../../components/error-card.tsx";
import type { Scanner, Sequence, Task } from "./documents.ts";

interface NewTaskFormProps {
  readonly scanners: readonly Scanner[];
  readonly onMade: (task: Task) => void;
  readonly onClose: () => void;
}

export function NewTaskForm({ scanners, onMade, onClose }: NewTaskFormProps) {
  const sequences = useData<{ readonly items: readonly Sequence[] }>("/scan-sequences");
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<string>();
  const [device, setDevice] = useState("");
  const ids = useId();
  const known = sequences.data?.items ?? [];
  const sequence = chosen ?? known[0]?.id;
  // Asked for twice by the same key, it is one task.
  const key = useMemo(newKey, [name, sequence, device]);
  if (sequences.data !== undefined && known.length === 0) return <NoSequence onClose={onClose} />;
  return (
    <>
      <label class="field" for={`${ids}-name`}>
        Name; nothing that says who is scanned
        <input id={`${ids}-name`} value={name} onInput={({ currentTarget }) => setName(currentTarget.value)} />
      </label>
      <label class="field" for={`${ids}-sequence`}>
        Sequence
        <select
          id={`${ids}-sequence`}
          value={sequence}
          onChange={({ currentTarget }) => setChosen(currentTarget.value)}
        >
          {known.map((each) => (
            <option key={each.id} value={each.id}>
              {each.name} ({each.type})
            </option>
          ))}
        </select>
      </label>
      <label class="field" for={`${ids}-device`}>
        Scanner
        <select id={`${ids}-device`} value={device} onChange={({ currentTarget }) => setDevice(currentTarget.value)}>
          <option value="">any that is free</option>
          {scanners
            .filter(({ revokedAt }) => revokedAt === null)
            .map((each) => (
              <option key={each.id} value={each.id}>
                {each.name}
              </option>
            ))}
        </select>
      </label>
      <p class="quiet">It starts as soon as the scanner is there.</p>
      {sequences.problem !== undefined && sequences.data === undefined && (
        <ErrorCard problem={sequences.problem} onRetry={sequences.reload} />
      )}
      <div class="actions">
        <Button
          kind="primary"
          isDisabled={sequence === undefined || name.trim() === ""}
          onClick={async () => {
            const body = { name: name.trim(), sequence, ...(device === "" ? {} : { device }) };
            onMade(await ask<Task>("/scan-tasks", { method: "POST", body, key }));
          }}
        >
          Make the task
        </Button>
        <Button onClick={onClose}>Go back</Button>
      </div>
    </>
  );
}

function NoSequence({ onClose }: Pick<NewTaskFormProps, "onClose">) {
  return (
    <>
      <p>
        There is no sequence yet: <code>radferry scanner sequence add FILE</code> keeps one.
      </p>
      <div class="actions">
        <Button onClick={onClose}>Go back</Button>
      </div>
    </>
  );
}
