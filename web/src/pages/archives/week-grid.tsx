import { useEffect, useRef, useState } from "preact/hooks";
import { type Cell, DAYS, HOURS, openPart, type Week, withHours } from "./week.ts";

const HOUR_LIST = Array.from({ length: HOURS }, (_, hour) => hour);

/** Open hours of a week, to be looked at. */
export function WeekPicture({ week, label }: { readonly week: Week; readonly label: string }) {
  return (
    <div class="week" role="img" aria-label={label}>
      <HourHeads />
      {DAYS.map((name, day) => (
        <div class="week-row" key={name}>
          <span class="week-day">{name}</span>
          {HOUR_LIST.map((hour) => (
            <span
              key={hour}
              class={`week-cell ${partClass(openPart(week, day, hour))}`}
              title={cellText(week, day, hour)}
            />
          ))}
        </div>
      ))}
    </div>
  );
}

interface WeekEditorProps {
  readonly week: Week;
  readonly onChange: (week: Week) => void;
  readonly label: string;
}

/**
 * The same to be changed: a click or Space opens or closes an hour, drawing with the mouse or Shift and an arrow does so with all on the way,
 * and the name of a day with the whole day.
 */
export function WeekEditor({ week, onChange, label }: WeekEditorProps) {
  const grid = useRef<HTMLFieldSetElement>(null);
  const [focus, setFocus] = useState<Cell>({ day: 0, hour: 0 });
  /** Undefined while nothing is drawn. */
  const drawing = useRef<boolean | undefined>(undefined);
  const latest = useRef(week);
  latest.current = week;

  useEffect(() => {
    const end = (): void => {
      drawing.current = undefined;
    };
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
    return () => {
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
    };
  }, []);

  const paint = (cells: readonly Cell[], isOpen: boolean): void => {
    latest.current = withHours(latest.current, cells, isOpen);
    onChange(latest.current);
  };
  const isOpenAt = ({ day, hour }: Cell): boolean => openPart(latest.current, day, hour) === 1;
  const goTo = (cell: Cell): void => {
    setFocus(cell);
    grid.current?.querySelector<HTMLElement>(`[data-cell="${cell.day}-${cell.hour}"]`)?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const next = MOVES[event.key]?.(focus);
    if (next === undefined) return;
    event.preventDefault();
    if (event.shiftKey) paint([focus, next], isOpenAt(focus));
    goTo(next);
  };

  return (
    <fieldset class="week week-editor" ref={grid}>
      <legend class="unseen">{label}</legend>
      <HourHeads />
      {DAYS.map((_, day) => (
        <DayRow
          key={day}
          day={day}
          week={week}
          focus={focus}
          drawing={drawing}
          events={{ paint, setFocus, onKeyDown }}
        />
      ))}
    </fieldset>
  );
}

interface DayRowProps {
  readonly day: number;
  readonly week: Week;
  readonly focus: Cell;
  readonly drawing: { current: boolean | undefined };
  readonly events: {
    readonly paint: (cells: readonly Cell[], isOpen: boolean) => void;
    readonly setFocus: (cell: Cell) => void;
    readonly onKeyDown: (event: KeyboardEvent) => void;
  };
}

function DayRow({ day, week, focus, drawing, events: { paint, setFocus, onKeyDown } }: DayRowProps) {
  const cells = HOUR_LIST.map((hour) => ({ day, hour, part: openPart(week, day, hour) }));
  const isWhole = cells.every(({ part }) => part === 1);
  return (
    <div class="week-row">
      <button
        type="button"
        class="week-day"
        aria-label={`${isWhole ? "Close" : "Open"} all of ${DAYS[day]}`}
        onClick={() => paint(cells, !isWhole)}
      >
        {DAYS[day]}
      </button>
      {cells.map((cell) => (
        <button
          type="button"
          key={cell.hour}
          data-cell={`${cell.day}-${cell.hour}`}
          class={`week-cell ${partClass(cell.part)}`}
          tabIndex={focus.day === day && focus.hour === cell.hour ? 0 : -1}
          aria-pressed={pressed(cell.part)}
          aria-label={`${DAYS[day]} ${clockText(cell.hour)}`}
          title={cellText(week, day, cell.hour)}
          onFocus={() => setFocus(cell)}
          onKeyDown={onKeyDown}
          onClick={({ detail }) => {
            // By Space, or by what reads the page aloud; the mouse draws.
            if (detail === 0) paint([cell], cell.part !== 1);
          }}
          onPointerDown={({ button, currentTarget, pointerId }) => {
            if (button !== 0) return;
            drawing.current = cell.part !== 1;
            paint([cell], drawing.current);
            // A finger would go on telling this cell alone where it is.
            if (currentTarget.hasPointerCapture(pointerId)) currentTarget.releasePointerCapture(pointerId);
          }}
          onPointerEnter={() => {
            if (drawing.current !== undefined) paint([cell], drawing.current);
          }}
        />
      ))}
    </div>
  );
}

function pressed(part: number): boolean | "mixed" {
  return part === 1 || (part === 0 ? false : "mixed");
}

const MOVES: Readonly<Record<string, (from: Cell) => Cell>> = {
  ArrowLeft: ({ day, hour }) => ({ day, hour: Math.max(0, hour - 1) }),
  ArrowRight: ({ day, hour }) => ({ day, hour: Math.min(HOURS - 1, hour + 1) }),
  ArrowUp: ({ day, hour }) => ({ day: Math.max(0, day - 1), hour }),
  ArrowDown: ({ day, hour }) => ({ day: Math.min(DAYS.length - 1, day + 1), hour }),
  Home: ({ day }) => ({ day, hour: 0 }),
  End: ({ day }) => ({ day, hour: HOURS - 1 }),
};

const HEAD_EVERY = 6;

function HourHeads() {
  return (
    <div class="week-row week-heads" aria-hidden="true">
      <span class="week-day" />
      {HOUR_LIST.map((hour) => (
        <span key={hour} class="week-head">
          {hour % HEAD_EVERY === 0 ? String(hour).padStart(2, "0") : ""}
        </span>
      ))}
    </div>
  );
}

function partClass(part: number): string {
  return part === 1 ? "is-open" : part === 0 ? "is-closed" : "is-part";
}

function cellText(week: Week, day: number, hour: number): string {
  const part = openPart(week, day, hour);
  const state = part === 1 ? "open" : part === 0 ? "closed" : `open for ${Math.round(part * 60)} minutes`;
  return `${DAYS[day]} ${clockText(hour)}, ${state}`;
}

function clockText(hour: number): string {
  return `${String(hour).padStart(2, "0")}:00`;
}
