/** What a gateway does of all that there is to do. */
export const NODE_ROLES = ["receiver", "worker", "http"] as const;
export type NodeRole = (typeof NODE_ROLES)[number];
