import type { Project } from "../../api/documents.ts";
import { Cost } from "./cost.tsx";
import type { Wish } from "./wish.ts";

interface SearchFormProps {
  readonly projects: readonly Project[];
  readonly wish: Wish;
  readonly isBusy: boolean;
  readonly onChange: (changes: Partial<Wish>) => void;
  /** @param countOnly nothing of what is found is to be kept */
  readonly onSearch: (countOnly: boolean) => void;
}

type FieldsProps = Pick<SearchFormProps, "wish" | "onChange">;

/** What to look for; what is left empty is not asked about. */
export function SearchForm({ projects, wish, isBusy, onChange, onSearch }: SearchFormProps) {
  const archives = projects.find(({ name }) => name === wish.project)?.archives ?? [];
  return (
    <form
      class="card"
      aria-label="What to look for"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isBusy) onSearch(false);
      }}
    >
      <div class="search-fields">
        <Choice
          label="For the project"
          value={wish.project}
          values={projects.map(({ name }) => name)}
          onChoose={(project) => {
            const [archive = ""] = projects.find(({ name }) => name === project)?.archives ?? [];
            onChange({ project, archive });
          }}
        />
        <Choice label="Archive" value={wish.archive} values={archives} onChoose={(archive) => onChange({ archive })} />
        <UsualFields wish={wish} onChange={onChange} />
      </div>
      <MoreFields wish={wish} onChange={onChange} />
      <Cost wish={wish} />
      <div class="actions">
        <button type="submit" class="button button-primary" aria-busy={isBusy}>
          Search
        </button>
        <button type="button" class="button" aria-busy={isBusy} onClick={() => !isBusy && onSearch(true)}>
          Only count
        </button>
      </div>
    </form>
  );
}

function UsualFields({ wish, onChange }: FieldsProps) {
  const field = fieldsOf(wish, onChange);
  return (
    <>
      <label class="field">
        Patient ID
        <input autocomplete="off" spellcheck={false} maxLength={128} {...field("patient")} />
      </label>
      <label class="field">
        From
        <input type="date" {...field("from")} />
      </label>
      <label class="field">
        To
        <input type="date" {...field("to")} />
      </label>
      <label class="field">
        Modality
        <input autocomplete="off" spellcheck={false} maxLength={16} placeholder="any" {...field("modality")} />
      </label>
      <label class="field">
        Description
        <input
          autocomplete="off"
          spellcheck={false}
          maxLength={400}
          placeholder="Thorax*, or /chest|thorax/i"
          {...field("description")}
        />
      </label>
    </>
  );
}

function MoreFields({ wish, onChange }: FieldsProps) {
  const field = fieldsOf(wish, onChange);
  return (
    <details>
      <summary>More</summary>
      <div class="search-fields">
        <label class="field">
          Other keys, KEYWORD=value, one a line
          <textarea rows={2} spellcheck={false} placeholder="StationName=CT1" {...field("keys")} />
        </label>
        <label class="field">
          Studies at most
          <input type="number" min="1" max="500000" {...field("most")} />
        </label>
        <label>
          <input
            type="checkbox"
            checked={wish.everything}
            onChange={({ currentTarget: { checked } }) => onChange({ everything: checked })}
          />{" "}
          Everything that the archive has may be meant
        </label>
      </div>
    </details>
  );
}

/** What a text field of that name shows, and does. */
function fieldsOf(wish: Wish, onChange: SearchFormProps["onChange"]) {
  return (name: Exclude<keyof Wish, "everything">) => ({
    value: wish[name],
    onInput: ({ currentTarget: { value } }: { readonly currentTarget: { readonly value: string } }) =>
      onChange({ [name]: value }),
  });
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly values: readonly string[];
  readonly onChoose: (value: string) => void;
}

function Choice({ label, value, values, onChoose }: ChoiceProps) {
  return (
    <label class="field">
      {label}
      <select value={value} onChange={({ currentTarget }) => onChoose(currentTarget.value)}>
        {values.map((each) => (
          <option key={each} value={each}>
            {each}
          </option>
        ))}
      </select>
    </label>
  );
}
