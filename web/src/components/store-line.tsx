import type { Overview } from "../api/documents.ts";
import { useData } from "../api/use-data.ts";
import { useEvery } from "./use-every.ts";

const LOOK_EVERY_MS = 10_000;

/** Said on every page while the gateway cannot write anything down: what is shown of studies is how they were before. */
export function StoreLine() {
  const { data, reload } = useData<Overview>("/overview");
  useEvery(LOOK_EVERY_MS, reload);
  const trouble = data?.storeTrouble;
  return (
    <div role="alert">
      {trouble && (
        <p class="notice notice-warn">
          <strong>All work stands still.</strong> <code>{trouble.code}</code> {trouble.message} {trouble.remedy}
        </p>
      )}
    </div>
  );
}
