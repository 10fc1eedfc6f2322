import { useState } from "preact/hooks";
import { ask } from "../../api/client.ts";
import type { ApiDocument } from "../../api/documents.ts";
import { type ApiProblem, toProblem } from "../../api/problem.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { ErrorCard } from "../../components/error-card.tsx";
import { say } from "../../components/toasts.tsx";
import { navigate } from "../../routing/router.tsx";
import { bodyOf, type Wish } from "./wish.ts";

interface StandingDialogProps {
  readonly wish: Wish;
  readonly onClose: () => void;
}

/** Makes a standing cohort of a search: its rows are not meant, it is asked again each time. */
export function StandingDialog({ wish, onClose }: StandingDialogProps) {
  const [name, setName] = useState("");
  const [times, setTimes] = useState("Mon-Fri 02:00");
  const [timeZone, setTimeZone] = useState("");
  const [from, setFrom] = useState(wish.from);
  const [to, setTo] = useState(wish.to);
  const [problem, setProblem] = useState<ApiProblem>();
  const save = async (): Promise<void> => {
    const timetable = {
      times: times
        .split(/[\n,]/)
        .map((time) => time.trim())
        .filter((time) => time !== ""),
      ...(timeZone.trim() === "" ? {} : { timeZone: timeZone.trim() }),
    };
    const body = { name: name.trim(), ...bodyOf({ ...wish, from, to }), ...timetable };
    try {
      const standing = await ask<ApiDocument<"StandingCohort">>("/standing-cohorts", { method: "POST", body });
      say(`${standing.name} will run by itself.`);
      navigate("/cohorts");
    } catch (thrown) {
      setProblem(toProblem(thrown));
    }
  };
  return (
    <Dialog title="Repeat the search by a timetable" isOpen onClose={onClose}>
      <p>The archive is asked again each time, and only what is new or changed is fetched.</p>
      <Field label="Name; its cohorts are named after it" value={name} onInput={setName} />
      <Field label="Times, as Mon-Fri 02:00, Sun 14:30, or 02:00 for every day" value={times} onInput={setTimes} />
      <Field
        label="Time zone of the times"
        value={timeZone}
        placeholder="the archive's, else this machine's"
        onInput={setTimeZone}
      />
      <Field label="Studies from: a date, today, or back as -7d or -2w" value={from} onInput={setFrom} />
      <Field label="Studies to" value={to} onInput={setTo} />
      {problem !== undefined && <ErrorCard problem={problem} />}
      <div class="actions">
        <Button kind="primary" onClick={save} isDisabled={name.trim() === "" || times.trim() === ""}>
          Save
        </Button>
        <Button onClick={onClose}>Go back</Button>
      </div>
    </Dialog>
  );
}

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly placeholder?: string;
  readonly onInput: (value: string) => void;
}

function Field({ label, value, placeholder, onInput }: FieldProps) {
  return (
    <label class="field">
      {label}
      <input
        autocomplete="off"
        spellcheck={false}
        value={value}
        placeholder={placeholder}
        onInput={({ currentTarget }) => onInput(currentTarget.value)}
      />
    </label>
  );
}
