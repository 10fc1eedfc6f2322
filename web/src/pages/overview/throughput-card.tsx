import { useState } from "preact/hooks";
import type { ApiDocument } from "../../api/documents.ts";
import { useRefresh, useStudyChanges } from "../../api/live.ts";
import { useData, useThrottled } from "../../api/use-data.ts";
import { BarChart } from "../../components/bar-chart.tsx";
import { bytesText, countText } from "../../components/numbers.ts";
import { Card } from "../../components/page.tsx";

type Throughput = ApiDocument<"Throughput">;

const SPANS = [
  { span: "hour", title: "48 hours" },
  { span: "day", title: "60 days" },
] as const;

const LOOK_EVERY_MS = 5_000;

/** What was delivered, hour by hour or day by day. */
export function ThroughputCard() {
  const [span, setSpan] = useState<Throughput["span"]>("hour");
  const { data, reload } = useData<Throughput>(`/throughput?span=${span}`);
  const look = useThrottled(reload, LOOK_EVERY_MS);
  useStudyChanges(({ state }) => {
    if (state === "delivered") look();
  });
  useRefresh(look);
  return (
    <Card title="Delivered" aside={<SpanChoice chosen={span} onChoose={setSpan} />}>
      {data !== undefined && (
        <>
          <p class="quiet">{totalText(data)}</p>
          <BarChart
            label={`Studies delivered by ${data.span}`}
            bars={data.buckets.map(({ at, studies }) => ({ atSeconds: Date.parse(at) / 1_000, value: studies }))}
            unit={["study", "studies"]}
          />
        </>
      )}
    </Card>
  );
}

function totalText({ buckets, span }: Throughput): string {
  const sum = (of: "studies" | "instances" | "bytes"): number =>
    buckets.reduce((total, bucket) => total + bucket[of], 0);
  const within = SPANS.find((each) => each.span === span)?.title ?? "";
  return `${countText(sum("studies"), "study", "studies")}, ${countText(sum("instances"), "instance")}, ${bytesText(sum("bytes"))} in ${within}`;
}

interface SpanChoiceProps {
  readonly chosen: Throughput["span"];
  readonly onChoose: (span: Throughput["span"]) => void;
}

function SpanChoice({ chosen, onChoose }: SpanChoiceProps) {
  return (
    <fieldset class="segments">
      <legend class="unseen">Time span</legend>
      {SPANS.map(({ span, title }) => (
        <label key={span}>
          <input type="radio" name="span" checked={chosen === span} onChange={() => onChoose(span)} />
          <span>{title}</span>
        </label>
      ))}
    </fieldset>
  );
}
