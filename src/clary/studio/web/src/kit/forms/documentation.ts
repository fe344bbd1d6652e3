/** The text of a model's documentation, which is HTML, without its tags and not longer than `most` characters. */
export function plain(html: string | undefined, most = 400): string {
  if (!html) return "";
  const text = new DOMParser().parseFromString(html, "text/html").body.textContent ?? "";
  const short = text.replace(/\s+/g, " ").trim();
  if (short.length <= most) return short;
  const cut = short.slice(0, most);
  const sentence = cut.lastIndexOf(". ");
  return sentence > most / 3 ? cut.slice(0, sentence + 1) : `${cut.slice(0, Math.max(cut.lastIndexOf(" "), most - 40))} …`;
}
