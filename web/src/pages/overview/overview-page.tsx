import { overview } from "../../api/live.ts";
import { toneOf } from "../../components/badge.tsx";
import { countText, numberText } from "../../components/numbers.ts";
import { Card, Page } from "../../components/page.tsx";
import { StateBar } from "../../components/progress.tsx";
import { durationText } from "../../components/time.tsx";
import { Link } from "../../routing/router.tsx";
import { ArchiveLamps } from "./archive-lamps.tsx";
import { FailureList } from "./failure-list.tsx";
import { HeldIntake } from "./held-intake.tsx";
import { ProjectList } from "./project-list.tsx";
import { STATE_GROUPS } from "./state-groups.ts";
import { ThroughputCard } from "./throughput-card.tsx";

export function OverviewPage() {
  return (
    <Page title="Overview">
      <HeldIntake />
      <Studies />
      <div class="columns">
        <div class="column">
          <ThroughputCard />
          <ProjectList />
        </div>
        <div class="column">
          <ArchiveLamps />
          <FailureList />
        </div>
      </div>
    </Page>
  );
}

/** Nothing where the gateway is the only one. */
function nodesText(nodes: { readonly alive: number; readonly silent: number } | null): string {
  if (nodes === null) return "";
  const silent = nodes.silent === 0 ? "" : `, ${nodes.silent} silent`;
  return ` ${countText(nodes.alive, "gateway", "gateways")} at work${silent}.`;
}

function Studies() {
  const shown = overview.value;
  const states = shown?.states ?? {};
  const oldest = shown?.oldestWaitingSeconds;
  return (
    <Card
      title={shown === undefined ? "Studies" : countText(shown.total, "study", "studies")}
      aside={
        <p class="quiet">
          {oldest === null || oldest === undefined
            ? "Nothing waits."
            : `The oldest that waits was asked for ${durationText(oldest)} ago.`}
          {nodesText(shown?.nodes ?? null)}
        </p>
      }
    >
      <StateBar states={states} label="Studies by state" />
      <ul class="figures">
        {STATE_GROUPS.map(({ title, states: members, to }) => {
          const count = members.reduce((sum, state) => sum + (states[state] ?? 0), 0);
          const [first = "queued"] = members;
          return (
            <li key={title} class={count === 0 ? "is-none" : `says-${toneOf(first)}`}>
              <Link to={to} class="figure-link">
                <span class="figure">{shown === undefined ? "–" : numberText(count)}</span>
                <span>{title}</span>
              </Link>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}
