import type { TagEditorProps } from "@cloudscape-design/components/tag-editor";

import type { Activity, Catalog, Constraint, Customization, Wish } from "../../api/roleManager";

/** What is filled in; lists are texts, one value on a line. */
export interface Form {
  name: string;
  description: string;
  /** The name of a persona, or "" for a role without suggestions. */
  persona: string;
  trusted: string;
  customizations: Customization[];
  activities: string[];
  values: Record<string, string>;
  policies: string[];
  boundary: string;
  tags: readonly TagEditorProps.Tag[];
  tagsAreValid: boolean;
}

/** What is wrong, by the member of the wish. */
export type Problems = Record<string, string>;

export const EMPTY: Form = {
  name: "",
  description: "",
  persona: "",
  trusted: "",
  customizations: [],
  activities: [],
  values: {},
  policies: [],
  boundary: "",
  tags: [],
  tagsAreValid: true,
};

/** The values in a text, one on a line. */
export function lines(text: string | undefined): string[] {
  return (text ?? "").split(/[\s,]+/).filter(Boolean);
}

/** The activities that are chosen. */
export function chosen(form: Form, known: Catalog): Activity[] {
  return known.Activities.filter((activity) => form.activities.includes(activity.Name));
}

/** What the chosen activities have to be told, each with whether it may be left out. */
export function asked(form: Form, known: Catalog): { name: string; optional: boolean }[] {
  const activities = chosen(form, known);
  const required = new Set(activities.flatMap((activity) => activity.Parameters));
  const optional = new Set(activities.flatMap((activity) => activity.OptionalParameters));
  return known.Parameters.map((parameter) => parameter.Name)
    .filter((name) => required.has(name) || optional.has(name))
    .map((name) => ({ name, optional: !required.has(name) }));
}

/** What the customizations that are switched on have to be told. */
export function narrowing(form: Form, known: Catalog): string[] {
  return form.customizations.flatMap((each) => known.Customizations[each]);
}

/** The step on which a member is asked for. */
export function stepOf(member: string, known: Catalog): number {
  if (["Name", "TrustedArns"].includes(member) || Object.values(known.Customizations).flat().includes(member)) return 0;
  return ["PolicyArns", "Tags"].includes(member) ? 2 : 1;
}

/** What is wrong on a step, as far as it can be known before anybody is asked. */
export function problemsOf(step: number, form: Form, known: Catalog): Problems {
  const found: Problems = {};
  function check(member: string, values: string[], constraint: Constraint | undefined, empty: string) {
    const wrong = constraint && values.find((value) => !new RegExp(`^(?:${constraint.Pattern})$`).test(value));
    if (wrong !== undefined) found[member] = `${wrong}: ${constraint?.Constraint}`;
    else if (empty && values.length === 0) found[member] = empty;
  }
  const parameter = (name: string) => known.Parameters.find((each) => each.Name === name);
  if (step === 0) {
    check("Name", form.name ? [form.name] : [], known.Members["Name"], "A role needs a name");
    check("TrustedArns", lines(form.trusted), known.Members["TrustedArns"], "");
    for (const name of narrowing(form, known)) check(name, lines(form.values[name]), parameter(name), "At least one is needed");
  }
  if (step === 1) {
    if (form.activities.length === 0) found["Activities"] = "Choose at least one activity";
    if (form.activities.length > known.MaxPolicies) found["Activities"] = `A role has at most ${known.MaxPolicies} policies, and each activity is one`;
    for (const { name, optional } of asked(form, known)) check(name, lines(form.values[name]), parameter(name), optional ? "" : "At least one is needed");
  }
  if (step === 2) {
    if (form.activities.length + form.policies.length > known.MaxPolicies) {
      found["PolicyArns"] = `A role has at most ${known.MaxPolicies} policies, and ${form.activities.length} are those of its activities`;
    }
    if (!form.tagsAreValid) found["Tags"] = "Correct the tags first";
  }
  return found;
}

/** What is filled in, as the documents are asked for; values of what is not asked stay behind. */
export function wishOf(form: Form, known: Catalog): Wish {
  const names = [...asked(form, known).map(({ name }) => name), ...narrowing(form, known)];
  return {
    Name: form.name,
    Activities: chosen(form, known).map((activity) => activity.Name),
    Parameters: Object.fromEntries(names.map((name) => [name, lines(form.values[name])])),
    PolicyArns: form.policies,
    TrustedArns: lines(form.trusted),
  };
}
