// Owns how the path of a field in a draft (`tls.clientCert`, `mappings.2.filter`) becomes the names on the page:
// ids and test ids in kebab-case. Knows no form.

/** `tls.clientCert` → `tls-client-cert`. */
export function kebab(path: string): string {
  return path
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .replaceAll(".", "-")
    .toLowerCase();
}

/** The test id of the control at a path. */
export function fieldTestId(path: string): string {
  return `field-${kebab(path)}`;
}

/** The test id of the message below the control at a path. */
export function errorTestId(path: string): string {
  return `error-${kebab(path)}`;
}

/** Whether `path` is `root` itself or lies below it. */
export function isWithin(path: string, root: string): boolean {
  return path === root || path.startsWith(`${root}.`);
}
