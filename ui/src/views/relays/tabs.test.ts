import { expect, test } from "vitest";
import type { RelayDraft } from "../../backend/types";
import { isWithin } from "../../components/form/paths";
import { TABS } from "./tabs";

/** The fields of a draft, one each; the compiler keeps the list whole. */
const draft: Record<Exclude<keyof RelayDraft, "id" | "rules">, true> & {
  rules: Record<keyof RelayDraft["rules"], true>;
} = {
  name: true,
  brokerId: true,
  mappings: true,
  region: true,
  networkTokenId: true,
  authorizationId: true,
  downlinkPort: true,
  enabled: true,
  rules: {
    order: true,
    requests: true,
    timeoutSeconds: true,
    batch: true,
    attempts: true,
    giveUpHours: true,
    plan: true,
    ownLimit: true,
    reserve: true,
    pace: true,
    queueMegabytes: true,
    whenFull: true,
    maxAgeHours: true,
    retained: true,
    metadata: true,
    statusTopic: true,
    loopGuard: true,
    dryRun: true,
  },
};

test("every field of a relay lies on exactly one tab, so that no problem is hidden", () => {
  const { rules, ...rest } = draft;
  const paths = [...Object.keys(rest), ...Object.keys(rules).map((field) => `rules.${field}`)];
  for (const path of paths) {
    const on = TABS.filter(({ fields }) => fields.some((field) => isWithin(path, field)));
    expect(on, path).toHaveLength(1);
  }
});
