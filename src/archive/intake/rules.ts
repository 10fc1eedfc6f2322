import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import type { Tag } from "../../dicom/tag.ts";
import { textOf } from "../../dicom/values.ts";
import { readAddresses } from "../../network/dimse/acceptance.ts";

/** Who sends something: by C-STORE under AE titles, by STOW-RS with a token. */
export interface Sender {
  readonly callingAeTitle?: string | undefined;
  readonly calledAeTitle?: string | undefined;
  /** Who had it sent to us by C-MOVE; absent: nobody did. */
  readonly moveOriginatorAeTitle?: string | undefined;
  /** Name of his token. */
  readonly token?: string | undefined;
  /** What alone he may send for; undefined: every project. */
  readonly projects?: readonly string[] | undefined;
  readonly remoteAddress: string;
}

/** What becomes of instances that were sent unasked. Everything that a rule names must hold; one that names nothing holds for all. */
export interface IntakeRule {
  readonly name: string;
  readonly callingAeTitles?: readonly string[] | undefined;
  readonly calledAeTitles?: readonly string[] | undefined;
  /** Of who had it sent by C-MOVE, as the sender says. */
  readonly moveOriginatorAeTitles?: readonly string[] | undefined;
  /** Names of tokens that are sent with. */
  readonly tokens?: readonly string[] | undefined;
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
  /** Archive that knows how much a study of the project should hold. */
  readonly archive?: string | undefined;
}

/** The first rule that holds decides. */
export type IntakeRules = (sender: Sender, dataSet: DataSet) => IntakeRule | undefined;

/** @throws GatewayError ACCEPTANCE_RULE_INVALID */
export function readIntakeRules(rules: readonly IntakeRule[]): IntakeRules {
  const matchers = rules.map((rule) => ({
    rule,
    isFrom: rule.addresses && readAddresses(rule.addresses, rule.name),
  }));
  return (sender, dataSet) =>
    matchers.find(
      ({ rule, isFrom }) => isFrom?.(sender.remoteAddress) !== false && isSentBy(rule, sender) && says(rule, dataSet),
    )?.rule;
}

/** A rule that names AE titles is none for who has no AE title. */
function isSentBy(
  { callingAeTitles, calledAeTitles, moveOriginatorAeTitles, tokens }: IntakeRule,
  sender: Sender,
): boolean {
  return (
    moveOriginatorAeTitles?.includes(sender.moveOriginatorAeTitle ?? "") !== false &&
    callingAeTitles?.includes(sender.callingAeTitle ?? "") !== false &&
    calledAeTitles?.includes(sender.calledAeTitle ?? "") !== false &&
    tokens?.includes(sender.token ?? "") !== false
  );
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
