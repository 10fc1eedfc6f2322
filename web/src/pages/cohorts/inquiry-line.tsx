import type { Inquiry } from "../../api/use-inquiry.ts";
import { countText, numberText } from "../../components/numbers.ts";

/** How far an inquiry is; said aloud when it changes its state. */
export function InquiryLine({ inquiry, unit }: { readonly inquiry: Inquiry | undefined; readonly unit: string }) {
  const { state, code, progress } = inquiry ?? {};
  return (
    <div role="status" aria-live="polite">
      {progress !== undefined && (
        <p class="quiet">
          {state === "running" ? "Asking: " : ""}
          {numberText(progress.done)} of {countText(progress.total, unit, unit === "study" ? "studies" : `${unit}s`)}
          {state === "cancelled" && ", stopped"}
          {state === "failed" && (
            <>
              {" "}
              failed with <code>{code}</code>
            </>
          )}
        </p>
      )}
    </div>
  );
}
