/** What the platform refused, as AWS words it. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status: number,
  ) {
    super(message);
    this.name = "ApiError";
  }

  /** Whether the session is over, so that the person has to sign in again. */
  get isSignedOut(): boolean {
    return this.status === 401;
  }
}

/** Any thrown value as a code and a sentence for a person. */
export function told(error: unknown): { code: string; message: string } {
  if (error instanceof ApiError) return { code: error.code, message: error.message };
  if (error instanceof TypeError) return { code: "Network", message: "Clary cannot be reached. It may be restarting." };
  return { code: "Error", message: error instanceof Error ? error.message : String(error) };
}
