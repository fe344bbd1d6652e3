/** Where requests that are signed go: the address that the SDKs make of AWS_ENDPOINT_URL. */
export function invocationUrl(name: string): string {
  return new URL(`../endpoints/${encodeURIComponent(name)}/invocations`, document.baseURI).toString();
}
