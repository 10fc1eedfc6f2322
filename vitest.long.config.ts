import { defineConfig } from "vitest/config";

/** Tests that take minutes: `npm run long`. */
export default defineConfig({
  test: {
    include: ["test/long/**/*.test.ts", "test/chaos/all-kinds.test.ts"],
    setupFiles: ["test/peers/leaks.ts"],
    testTimeout: 30 * 60_000,
    hookTimeout: 60_000,
    pool: "forks",
    fileParallelism: false,
    // Kinds of failure mostly wait for time-outs.
    maxConcurrency: 4,
  },
});
