import type { ApiProblem } from "../api/problem.ts";

interface ErrorCardProps {
  readonly problem: ApiProblem;
  /** Offers to try it again. */
  readonly onRetry?: (() => void) | undefined;
}

/** What went wrong, its code, and what to do about it. */
export function ErrorCard({ problem, onRetry }: ErrorCardProps) {
  return (
    <div class="error-card" role="alert">
      <p class="error-title">
        <code>{problem.code}</code> {problem.message}
      </p>
      {problem.problems.length > 0 && (
        <ul>
          {problem.problems.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      )}
      <p>{problem.remedy}</p>
      {onRetry !== undefined && (
        <button type="button" class="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
