import { request } from "./client";
import { ApiError } from "./errors";

/** Who is signed in, and where. */
export interface Session {
  account: string;
  arn: string;
  name: string;
  kind: "root" | "user" | "role";
  region: string;
  regions: string[];
  version: string;
  expires: number;
}

/** The session of this browser, or null where nobody is signed in. */
export async function currentSession(): Promise<Session | null> {
  try {
    return (await (await request("session")).json()) as Session;
  } catch (error) {
    if (error instanceof ApiError && error.isSignedOut) return null;
    throw error;
  }
}

export async function signIn(name: string, password: string): Promise<void> {
  await post("sign-in", { UserName: name, Password: password });
}

/** Sign in with the one-time link that `clary up` prints. */
export async function signInByLink(ticket: string): Promise<void> {
  await post("sign-in/link", { ticket });
}

export async function signOut(): Promise<void> {
  await post("sign-out", {});
}

async function post(path: string, body: object): Promise<void> {
  await request(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
}
