import { useId, useState } from "preact/hooks";
import { ask } from "../../api/client.ts";
import type { Archive } from "../../api/documents.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { say } from "../../components/toasts.tsx";
import { type ArchiveProps, archivePath } from "./archive-card.tsx";

interface RateDialogProps extends ArchiveProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

const BYTES_OF_MEGABYTE = 1_000_000;

/** How many studies are begun in a minute, and how fast their bytes may come; empty: without a limit. */
export function RateDialog({ archive, isOpen, onClose, onChanged }: RateDialogProps) {
  return (
    <Dialog title={`Rate of ${archive.name}`} isOpen={isOpen} onClose={onClose}>
      <RateForm archive={archive} onClose={onClose} onChanged={onChanged} />
    </Dialog>
  );
}

function RateForm({ archive, onClose, onChanged }: Omit<RateDialogProps, "isOpen">) {
  const { studiesPerMinute, bytesPerSecond, name } = archive;
  const [studies, setStudies] = useState(textOf(studiesPerMinute));
  const [megabytes, setMegabytes] = useState(textOf(bytesPerSecond && bytesPerSecond / BYTES_OF_MEGABYTE));
  const ids = useId();
  const send = async (change: Readonly<Record<string, number | string>>): Promise<void> => {
    await ask<Archive>(archivePath(archive), { method: "PATCH", body: change });
    say(`The rate of ${name} holds from now on.`);
    onChanged();
    onClose();
  };
  return (
    <>
      <label class="field" for={`${ids}-studies`}>
        Studies a minute
        <input
          id={`${ids}-studies`}
          type="number"
          min="0.01"
          step="any"
          placeholder="without a limit"
          value={studies}
          onInput={({ currentTarget }) => setStudies(currentTarget.value)}
        />
      </label>
      <label class="field" for={`${ids}-bytes`}>
        Megabytes a second
        <input
          id={`${ids}-bytes`}
          type="number"
          min="0.001"
          step="any"
          placeholder="without a limit"
          value={megabytes}
          onInput={({ currentTarget }) => setMegabytes(currentTarget.value)}
        />
      </label>
      <p class="quiet">It holds at once, also for what is being fetched, and over restarts.</p>
      <div class="actions">
        <Button
          kind="primary"
          onClick={() =>
            send({
              studiesPerMinute: limitOf(studies, 1),
              bytesPerSecond: limitOf(megabytes, BYTES_OF_MEGABYTE),
            })
          }
        >
          Set the rate
        </Button>
        <Button onClick={() => send({ studiesPerMinute: "configured", bytesPerSecond: "configured" })}>
          As the settings say
        </Button>
        <Button onClick={onClose}>Go back</Button>
      </div>
    </>
  );
}

function textOf(limit: number | undefined): string {
  return limit === undefined ? "" : String(limit);
}

function limitOf(text: string, unit: number): number | string {
  return text.trim() === "" ? "unlimited" : Number(text) * unit;
}
