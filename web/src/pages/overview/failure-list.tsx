import type { ApiDocument } from "../../api/documents.ts";
import { useRefresh, useStudyChanges } from "../../api/live.ts";
import { useData, useThrottled } from "../../api/use-data.ts";
import { countText } from "../../components/numbers.ts";
import { Card } from "../../components/page.tsx";
import { Link } from "../../routing/router.tsx";

const SHOWN = 6;
const LOOK_EVERY_MS = 3_000;

/** What went wrong most often. */
export function FailureList() {
  const { data, reload } = useData<ApiDocument<"FailureList">>("/failures");
  const look = useThrottled(reload, LOOK_EVERY_MS);
  useStudyChanges(({ code }) => {
    if (code !== undefined) look();
  });
  useRefresh(look);
  const items = data?.items ?? [];
  return (
    <Card title="What went wrong" aside={<Link to="/failures">All of it</Link>}>
      {data !== undefined && items.length === 0 && <p class="empty">Nothing.</p>}
      <ul class="rows">
        {items.slice(0, SHOWN).map(({ code, message, studies, waiting }) => (
          <li key={code}>
            <p class="row-line">
              <code>{code}</code>
              <span>{countText(studies + waiting, "study", "studies")}</span>
            </p>
            <p class="quiet">{message}</p>
          </li>
        ))}
      </ul>
    </Card>
  );
}
