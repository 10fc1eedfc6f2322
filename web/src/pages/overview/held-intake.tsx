import type { ApiDocument } from "../../api/documents.ts";
import { useRefresh } from "../../api/live.ts";
import { mayDo, session } from "../../api/session-state.ts";
import { useData } from "../../api/use-data.ts";
import { countText, numberText } from "../../components/numbers.ts";
import { useEvery } from "../../components/use-every.ts";
import { Link } from "../../routing/router.tsx";

const LOOK_EVERY_MS = 10_000;
/** Counted so far; whoever has more looks at the page itself. */
const COUNTED = 100;

/** Studies that were sent unasked and that nobody has decided on: said where there are some, to who may decide. */
export function HeldIntake() {
  const isForAll = mayDo("operator") && typeof session.value === "object" && session.value.projects === null;
  return isForAll ? <Held /> : null;
}

function Held() {
  const { data, reload } = useData<ApiDocument<"IntakePage">>(`/intake?state=held&limit=${COUNTED}`);
  useRefresh(reload);
  useEvery(LOOK_EVERY_MS, reload);
  const count = data?.items.length ?? 0;
  if (count === 0) return null;
  const words = data?.next === null ? countText(count, "study", "studies") : `more than ${numberText(COUNTED)} studies`;
  return (
    <p class="notice notice-warn">
      <Link to="/intake">{words} sent to us</Link> {count === 1 ? "is" : "are"} held until somebody decides.
    </p>
  );
}
