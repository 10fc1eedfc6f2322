import "./settings.css";
import { useId, useState } from "preact/hooks";
import { ask } from "../../api/client.ts";
import type { ApiDocument } from "../../api/documents.ts";
import { useRefresh } from "../../api/live.ts";
import { type ApiProblem, toProblem } from "../../api/problem.ts";
import { mayDo } from "../../api/session-state.ts";
import { useData } from "../../api/use-data.ts";
import { Button } from "../../components/button.tsx";
import { ErrorCard } from "../../components/error-card.tsx";
import { Card, Page } from "../../components/page.tsx";
import { ReloadCard } from "./reload-card.tsx";
import { groupsOf, type SettingRow } from "./setting-rows.ts";

type Reload = ApiDocument<"Reload">;

/** What the gateway runs with. */
export function SettingsPage() {
  const { data, problem, reload } = useData<Readonly<Record<string, unknown>>>("/settings");
  const [filter, setFilter] = useState("");
  const [reloaded, setReloaded] = useState<Reload>();
  const [refused, setRefused] = useState<ApiProblem>();
  const filterId = useId();
  useRefresh(reload);
  const takeIn = async (): Promise<void> => {
    setReloaded(undefined);
    setRefused(undefined);
    try {
      setReloaded(await ask<Reload>("/settings/reload", { method: "POST" }));
      reload();
    } catch (thrown) {
      setRefused(toProblem(thrown));
    }
  };
  const wanted = filter.trim().toLowerCase();
  const isWanted = ({ path, text }: SettingRow): boolean => `${path} ${text}`.toLowerCase().includes(wanted);
  const groups = groupsOf(data ?? {})
    .map((group) => ({ ...group, rows: group.rows.filter(isWanted) }))
    .filter(({ rows }) => rows.length > 0);
  return (
    <Page
      title="Settings in force"
      actions={
        mayDo("admin") && (
          <Button kind="primary" onClick={takeIn}>
            Reload from the file
          </Button>
        )
      }
    >
      <div role="status">{reloaded !== undefined && <ReloadCard reloaded={reloaded} />}</div>
      {refused !== undefined && <ErrorCard problem={refused} />}
      {problem !== undefined && data === undefined && <ErrorCard problem={problem} onRetry={reload} />}
      <p class="quiet">
        As they hold now, defaults filled in, secrets hidden. They are changed in the file or the environment of the
        gateway; archives, destinations and projects without a restart.
      </p>
      <label class="field settings-filter" for={filterId}>
        Show only what has this in its name or value
        <input
          id={filterId}
          type="search"
          value={filter}
          onInput={({ currentTarget }) => setFilter(currentTarget.value)}
        />
      </label>
      <div class="settings-columns">
        {groups.map(({ title, rows }) => (
          <Card key={title} title={title}>
            <dl class="facts">
              {rows.map(({ path, name, text, isHidden }) => (
                <div class="fact" key={path}>
                  <dt>{name}</dt>
                  <dd>{isHidden ? <em class="quiet">hidden</em> : text}</dd>
                </div>
              ))}
            </dl>
          </Card>
        ))}
      </div>
    </Page>
  );
}
