import { GatewayError } from "../../../errors/gateway-error.ts";

const MAXIMUM_SEGMENT_LENGTH = 1_024;
const FIRST_PRINTABLE = 0x20;

/**
 * A path of percent-encoded segments. Tomcat refuses encoded slashes, and dot segments would lead to another address.
 * @throws GatewayError XNAT_NAME_UNSAFE, before anything is asked
 */
export function xnatPath(root: string, ...segments: readonly string[]): string {
  return [root, ...segments.map(safeSegment)].join("/");
}

/** Names below a resource, in order. @throws GatewayError XNAT_NAME_UNSAFE */
export function xnatFilePath(root: string, path: string): string {
  return xnatPath(root, ...path.split("/"));
}

/** @throws GatewayError XNAT_NAME_UNSAFE */
function safeSegment(segment: string): string {
  const isDots = segment === "." || segment === "..";
  const isLong = segment.length > MAXIMUM_SEGMENT_LENGTH;
  const isSplit = /[/\\]/.test(segment) || [...segment].some((character) => character.charCodeAt(0) < FIRST_PRINTABLE);
  // Half a surrogate pair cannot be percent-encoded.
  if (segment === "" || isDots || isLong || isSplit || !segment.isWellFormed())
    throw new GatewayError("XNAT_NAME_UNSAFE");
  return encodeURIComponent(segment);
}
