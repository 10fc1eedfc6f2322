import { useState } from "preact/hooks";
import { Badge, type Tone } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { countText } from "../../components/numbers.ts";
import type { Instance } from "../study/documents.ts";
import { reasonText } from "../study/words.ts";

const TONES: Readonly<Record<Instance["state"], Tone>> = {
  passed: "good",
  rejected: "bad",
  "left out": "calm",
  received: "calm",
  missing: "warn",
  delivered: "good",
};

/** Drawn at once; a study may have thousands. */
const SHOWN = 200;

interface InstanceTableProps {
  readonly instances: readonly Instance[];
  readonly leftOut: ReadonlySet<number>;
  /** Undefined: who looks may not decide. */
  readonly onToggle: ((number: number) => void) | undefined;
}

/** Every instance with why it was kept back, those that were first. */
export function InstanceTable({ instances, leftOut, onToggle }: InstanceTableProps) {
  const [limit, setLimit] = useState(SHOWN);
  const isRejected = ({ state }: Instance): number => Number(state !== "rejected");
  const sorted = instances.toSorted((a, b) => isRejected(a) - isRejected(b) || a.number - b.number);
  const choice: Column<Instance> = {
    title: "Leave out",
    cell: ({ number }) => (
      <input
        type="checkbox"
        aria-label={`Leave out instance ${number}`}
        checked={leftOut.has(number)}
        onChange={() => onToggle?.(number)}
      />
    ),
  };
  const columns: readonly Column<Instance>[] = [
    ...(onToggle === undefined ? [] : [choice]),
    { title: "Instance", isNumber: true, cell: ({ number }) => number },
    { title: "Series", isNumber: true, isMinor: true, cell: ({ series }) => series },
    { title: "State", cell: ({ state }) => <Badge tone={TONES[state]}>{state}</Badge> },
    { title: "Why", cell: (instance) => <Why instance={instance} /> },
  ];
  return (
    <>
      <DataTable
        caption="Instances, those kept back first"
        columns={columns}
        items={sorted.slice(0, limit)}
        keyOf={({ number }) => `${number}`}
      />
      {sorted.length > limit && (
        <p class="more">
          <Button
            onClick={() => setLimit(limit + SHOWN)}
          >{`Show more of ${countText(sorted.length, "instance")}`}</Button>
        </p>
      )}
    </>
  );
}

function Why({ instance: { code, reason } }: { readonly instance: Instance }) {
  if (code === undefined) return <>–</>;
  return (
    <>
      {reason === undefined ? reasonText(code) : reason}{" "}
      {reason !== undefined && <code class="quiet minor">{code}</code>}
    </>
  );
}
