import { type ComponentType, lazy, type LazyExoticComponent } from "react";

/** A page of Studio: where it is, what it is called, and where it stands in the navigation. */
export interface Place {
  path: string;
  page: LazyExoticComponent<ComponentType>;
  title: string;
  /** The heading in the navigation; pages without one are reached from others. */
  group?: Group;
}

export type Group = "Data" | "Train" | "Deploy" | "Govern" | "Label" | "Settings";
export const GROUPS: Group[] = ["Data", "Train", "Deploy", "Govern", "Label", "Settings"];

/** Every page; those made by hand come before the explorer's, which show any noun. */
export const PLACES: Place[] = [
  { path: "/", page: lazy(() => import("../pages/home/Home")), title: "Home" },
  { path: "/storage", page: lazy(() => import("../pages/storage/Buckets")), title: "Storage", group: "Data" },
  { path: "/storage/:bucket/*", page: lazy(() => import("../pages/storage/Folder")), title: "Folder" },
  { path: "/training-jobs", page: lazy(() => import("../pages/jobs/TrainingJobs")), title: "Training jobs", group: "Train" },
  { path: "/training-jobs/:name", page: lazy(() => import("../pages/jobs/TrainingJob")), title: "Training job" },
  { path: "/explorer", page: lazy(() => import("../pages/explorer/Nouns")), title: "All resources", group: "Settings" },
  { path: "/explorer/:service/:noun", page: lazy(() => import("../pages/explorer/List")), title: "Resources" },
  { path: "/explorer/:service/:noun/create", page: lazy(() => import("../pages/explorer/Create")), title: "Create" },
  { path: "/explorer/:service/:noun/of/*", page: lazy(() => import("../pages/explorer/Details")), title: "Resource" },
];
