/** The version in the address of one of the page's files, "/~VERSION/…"; null where there is none. */
export function versionIn(url) {
  return /\/~([0-9a-f]+)\//.exec(url)?.[1] ?? null;
}
