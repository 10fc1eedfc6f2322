import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import type { Tag } from "../../dicom/tag.ts";
import { textOf } from "../../dicom/values.ts";
import { readAddresses } from "../../network/dimse/acceptance.ts";
import type { IncomingInstance } from "../../network/dimse/service-types.ts";

/** What becomes of instances that were sent unasked. Everything that a rule names must hold; one that names nothing holds for all. */
export interface IntakeRule {
  readonly name: string;
  readonly callingAeTitles?: readonly string[] | undefined;
  readonly calledAeTitles?: readonly string[] | undefined;
  /** IP addresses or networks. */
  readonly addresses?: readonly string[] | undefined;
  readonly modalities?: readonly string[] | undefined;
  readonly stationNames?: readonly string[] | undefined;
  /** Parts of the study's or the series' description, whatever their case; one of them is enough. */
  readonly descriptions?: readonly string[] | undefined;
  /** Values of attributes, as they are. */
  readonly values?: readonly (readonly [Tag, string])[] | undefined;
  /** Either its project, or the reason that senders are told. */
  readonly project?: string | undefined;
  readonly refuse?: string | undefined;
}

/** The first rule that holds decides. */
export type IntakeRules = (
  incoming: Pick<IncomingInstance, "callingAeTitle" | "calledAeTitle" | "remoteAddress">,
  dataSet: DataSet,
) => IntakeRule | undefined;

/** @throws GatewayError ACCEPTANCE_RULE_INVALID */
export function readIntakeRules(rules: readonly IntakeRule[]): IntakeRules {
  const matchers = rules.map((rule) => ({
    rule,
    isFrom: rule.addresses && readAddresses(rule.addresses, rule.name),
  }));
  return (incoming, dataSet) =>
    matchers.find(
      ({ rule, isFrom }) =>
        isFrom?.(incoming.remoteAddress) !== false && isSentBy(rule, incoming) && says(rule, dataSet),
    )?.rule;
}

function isSentBy(
  { callingAeTitles, calledAeTitles }: IntakeRule,
  { callingAeTitle, calledAeTitle }: Parameters<IntakeRules>[0],
): boolean {
  return callingAeTitles?.includes(callingAeTitle) !== false && calledAeTitles?.includes(calledAeTitle) !== false;
}

function says({ modalities, stationNames, descriptions, values = [] }: IntakeRule, dataSet: DataSet): boolean {
  const textAt = (tag: Tag): string => textOf(dataSet, tag)?.trim() ?? "";
  const described = [tags.StudyDescription, tags.SeriesDescription].map((tag) => textAt(tag).toLowerCase());
  return (
    modalities?.includes(textAt(tags.Modality)) !== false &&
    stationNames?.includes(textAt(tags.StationName)) !== false &&
    descriptions?.some((part) => described.some((text) => text.includes(part.toLowerCase()))) !== false &&
    values.every(([tag, value]) => textAt(tag) === value)
  );
}
