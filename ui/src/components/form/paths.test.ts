import { expect, test } from "vitest";
import { errorTestId, fieldTestId, isWithin } from "./paths";

test("paths become kebab-case names", () => {
  expect(fieldTestId("host")).toBe("field-host");
  expect(fieldTestId("tls.clientCert")).toBe("field-tls-client-cert");
  expect(fieldTestId("mappings.0.filter")).toBe("field-mappings-0-filter");
  expect(errorTestId("keepAlive")).toBe("error-keep-alive");
});

test("a path lies within itself and what is above it", () => {
  expect(isWithin("tls.ca", "tls")).toBe(true);
  expect(isWithin("tls", "tls")).toBe(true);
  expect(isWithin("tlsx", "tls")).toBe(false);
});
