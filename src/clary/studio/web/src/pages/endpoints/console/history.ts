import type { Answer, Question } from "./exchange";

/** A request that was sent, and in short what came of it. */
export interface Entry {
  id: number;
  /** Milliseconds since the epoch. */
  at: number;
  question: Question;
  /** Whether the whole body is kept, so that it can be sent again. */
  whole: boolean;
  status: number;
  ok: boolean;
  milliseconds: number;
  error: string;
}

const MOST_ENTRIES = 30;
const MOST_CHARACTERS = 16_384;
const SHOWN_CHARACTERS = 200;

/** Where the history of an endpoint is kept: of one person, in one region, until the tab is closed. */
export function placeOf(arn: string, region: string, endpoint: string): string {
  return `clary-invocations ${arn} ${region} ${endpoint}`;
}

export function readHistory(place: string): Entry[] {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(place) ?? "[]");
    return Array.isArray(found) ? (found as Entry[]) : [];
  } catch {
    return [];
  }
}

/** Keep what fits: where the browser's room is used up, the oldest are forgotten. */
export function keepHistory(place: string, entries: Entry[]): void {
  for (let kept = entries; ; kept = kept.slice(0, kept.length >> 1)) {
    try {
      sessionStorage.setItem(place, JSON.stringify(kept));
      return;
    } catch {
      if (kept.length === 0) return;
    }
  }
}

/** The history with one more exchange, newest first; long bodies are kept only in part. */
export function added(entries: Entry[], question: Question, answer: Answer): Entry[] {
  const whole = !question.file && question.body.length <= MOST_CHARACTERS;
  const entry: Entry = {
    id: (entries[0]?.id ?? 0) + 1,
    at: Date.now(),
    question: whole ? question : { ...question, body: question.body.slice(0, SHOWN_CHARACTERS) },
    whole,
    status: answer.status,
    ok: answer.ok,
    milliseconds: answer.milliseconds,
    error: answer.error?.code ?? "",
  };
  return [entry, ...entries].slice(0, MOST_ENTRIES);
}
