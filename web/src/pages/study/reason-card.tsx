import { type ComponentChildren, Fragment } from "preact";
import type { Study } from "../../api/documents.ts";

interface ReasonCardProps {
  readonly study: Study;
  readonly children?: ComponentChildren;
}

/** Why a study is where it is, and what to do; nothing of one that goes well. */
export function ReasonCard({ study: { code, message, remedy = "" }, children }: ReasonCardProps) {
  if (code === undefined) return null;
  return (
    <div class="reason-card">
      <p>
        <code>{code}</code> {message}
      </p>
      <p>
        <strong>What to do:</strong> <Remedy text={remedy} />
      </p>
      {children}
    </div>
  );
}

/** What stands between backticks is typed as it is. */
export function Remedy({ text }: { readonly text: string }) {
  return (
    <>
      {text.split("`").map((part, index) => (
        <Fragment key={index}>{index % 2 === 1 ? <code>{part}</code> : part}</Fragment>
      ))}
    </>
  );
}
