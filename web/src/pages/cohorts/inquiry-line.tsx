import type { Inquiry } from "../../api/use-inquiry.ts";
import { type InquiryUnit, progressText } from "./progress-text.ts";

/** How far an inquiry is; said aloud when it changes its state. */
export function InquiryLine({ inquiry, unit }: { readonly inquiry: Inquiry | undefined; readonly unit: InquiryUnit }) {
  const { state, code, progress } = inquiry ?? {};
  return (
    <div role="status" aria-live="polite">
      {progress !== undefined && (
        <p class="quiet">
          {state === "running" ? "Asking: " : ""}
          {progressText(progress, unit)}
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
