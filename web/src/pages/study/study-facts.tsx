import { type ComponentChildren, Fragment } from "preact";
import type { Study } from "../../api/documents.ts";
import { StateBadge } from "../../components/badge.tsx";
import { countText, numberText } from "../../components/numbers.ts";
import { Time } from "../../components/time.tsx";
import { Link } from "../../routing/router.tsx";
import { reasonText, verdictText } from "./words.ts";

interface Fact {
  readonly name: string;
  readonly value: ComponentChildren;
}

/** How the study stands, as names and values. */
export function StudyFacts({ study }: { readonly study: Study }) {
  return (
    <dl class="facts">
      {factsOf(study).map(({ name, value }) => (
        <Fragment key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </Fragment>
      ))}
    </dl>
  );
}

function factsOf(study: Study): readonly Fact[] {
  const { waitingUntil, finishedAt, archive, cohorts } = study;
  const exclusions = Object.entries(study.exclusions ?? {});
  const notMade = finishedAt === undefined ? "not made yet" : "none was made";
  return [
    { name: "State", value: <StateBadge state={study.state} stage={study.stage} /> },
    { name: "Verdict", value: verdictText(study.verdict) },
    ...(exclusions.length === 0
      ? []
      : [
          { name: "Left out", value: exclusions.map(([reason, count]) => `${count} ${reasonText(reason)}`).join(", ") },
        ]),
    { name: "Failed tries", value: numberText(study.attempts) },
    ...(waitingUntil === undefined ? [] : [{ name: "Next try", value: <Time at={waitingUntil} /> }]),
    ...(finishedAt === undefined ? [] : [{ name: "Finished", value: <Time at={finishedAt} /> }]),
    ...(archive === undefined ? [] : [{ name: "Archive", value: archive }]),
    {
      name: "Project",
      value: <Link to={`/studies?project=${encodeURIComponent(study.project)}`}>{study.project}</Link>,
    },
    { name: countText(cohorts.length, "Cohort").replace(/^1 /, ""), value: <CohortLinks cohorts={cohorts} /> },
    { name: "Pseudonym", value: study.pseudonym === null ? notMade : <code>{study.pseudonym}</code> },
    {
      name: "New study UID",
      value: study.pseudoStudyInstanceUid === null ? notMade : <code>{study.pseudoStudyInstanceUid}</code>,
    },
  ];
}

function CohortLinks({ cohorts }: { readonly cohorts: readonly string[] }) {
  return (
    <ul class="plain-list">
      {cohorts.map((id) => (
        <li key={id}>
          <Link to={`/cohorts/${encodeURIComponent(id)}`}>{id}</Link>
        </li>
      ))}
    </ul>
  );
}

/** Listed, received, left out, delivered: the way of a study's instances. */
export function StudyCounts({ study }: { readonly study: Study }) {
  const { expected, received, excluded, delivered } = study;
  const counts = [
    ["listed by the archive", expected],
    ["received", received],
    ["left out", excluded],
    ["delivered", delivered],
  ] as const;
  return (
    <dl class="count-row">
      {counts.map(([name, count]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{count === null ? "?" : numberText(count)}</dd>
        </div>
      ))}
    </dl>
  );
}
