/** Part of every output: another version may decide otherwise. */
export const ENGINE = "Radferry 0.1.0";
