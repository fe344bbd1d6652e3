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
  { path: "/processing-jobs", page: lazy(() => import("../pages/jobs/ProcessingJobs")), title: "Processing jobs", group: "Data" },
  { path: "/processing-jobs/:name", page: lazy(() => import("../pages/jobs/ProcessingJob")), title: "Processing job" },
  { path: "/training-jobs", page: lazy(() => import("../pages/jobs/TrainingJobs")), title: "Training jobs", group: "Train" },
  { path: "/training-jobs/:name", page: lazy(() => import("../pages/jobs/TrainingJob")), title: "Training job" },
  { path: "/tuning-jobs", page: lazy(() => import("../pages/tuning/TuningJobs")), title: "Tuning jobs", group: "Train" },
  { path: "/tuning-jobs/:name", page: lazy(() => import("../pages/tuning/TuningJob")), title: "Tuning job" },
  { path: "/tuning-jobs/-/create", page: lazy(() => import("../pages/tuning/CreateTuningJob")), title: "Create a tuning job" },
  { path: "/algorithms", page: lazy(() => import("../pages/algorithms/Algorithms")), title: "Built-in algorithms", group: "Train" },
  { path: "/algorithms/:name", page: lazy(() => import("../pages/algorithms/Algorithm")), title: "Built-in algorithm" },
  { path: "/experiments", page: lazy(() => import("../pages/experiments/Experiments")), title: "Experiments", group: "Train" },
  { path: "/experiments/:name", page: lazy(() => import("../pages/experiments/Experiment")), title: "Experiment" },
  { path: "/experiments/:name/compare", page: lazy(() => import("../pages/experiments/Compare")), title: "Compare runs" },
  { path: "/experiments/:name/runs/:run", page: lazy(() => import("../pages/experiments/Run")), title: "Run" },
  { path: "/tracking-servers", page: lazy(() => import("../pages/tracking/TrackingServers")), title: "MLflow", group: "Train" },
  { path: "/endpoints", page: lazy(() => import("../pages/endpoints/Endpoints")), title: "Endpoints", group: "Deploy" },
  { path: "/endpoints/:name", page: lazy(() => import("../pages/endpoints/Endpoint")), title: "Endpoint" },
  { path: "/endpoint-configs", page: lazy(() => import("../pages/endpoints/Configs")), title: "Endpoint configurations", group: "Deploy" },
  { path: "/endpoint-configs/:name", page: lazy(() => import("../pages/endpoints/Config")), title: "Endpoint configuration" },
  { path: "/models", page: lazy(() => import("../pages/models/Models")), title: "Models", group: "Deploy" },
  { path: "/models/:name", page: lazy(() => import("../pages/models/Model")), title: "Model" },
  { path: "/endpoints/-/deploy", page: lazy(() => import("../pages/models/Deploy")), title: "Deploy a model" },
  { path: "/transform-jobs", page: lazy(() => import("../pages/jobs/TransformJobs")), title: "Batch transform", group: "Deploy" },
  { path: "/transform-jobs/:name", page: lazy(() => import("../pages/jobs/TransformJob")), title: "Transform job" },
  { path: "/health", page: lazy(() => import("../pages/health/Health")), title: "Health", group: "Govern" },
  { path: "/model-registry", page: lazy(() => import("../pages/registry/Groups")), title: "Model registry", group: "Govern" },
  { path: "/model-registry/:group", page: lazy(() => import("../pages/registry/Group")), title: "Model group" },
  { path: "/model-registry/:group/compare", page: lazy(() => import("../pages/registry/Compare")), title: "Compare versions" },
  { path: "/model-registry/:group/:version", page: lazy(() => import("../pages/registry/Version")), title: "Model version" },
  { path: "/role-manager", page: lazy(() => import("../pages/rolemanager/RoleManager")), title: "Role manager", group: "Govern" },
  { path: "/role-manager/create", page: lazy(() => import("../pages/rolemanager/CreateRole")), title: "Create a role" },
  { path: "/access/users", page: lazy(() => import("../pages/access/Users")), title: "Users", group: "Settings" },
  { path: "/access/users/:name", page: lazy(() => import("../pages/access/User")), title: "User" },
  { path: "/access/groups/:name", page: lazy(() => import("../pages/access/Group")), title: "Group" },
  { path: "/access/roles", page: lazy(() => import("../pages/access/Roles")), title: "Roles", group: "Settings" },
  { path: "/access/roles/:name", page: lazy(() => import("../pages/access/Role")), title: "Role" },
  { path: "/calls", page: lazy(() => import("../pages/audit/Calls")), title: "Calls", group: "Settings" },
  { path: "/explorer", page: lazy(() => import("../pages/explorer/Nouns")), title: "All resources", group: "Settings" },
  { path: "/explorer/:service/:noun", page: lazy(() => import("../pages/explorer/List")), title: "Resources" },
  { path: "/explorer/:service/:noun/create", page: lazy(() => import("../pages/explorer/Create")), title: "Create" },
  { path: "/explorer/:service/:noun/of/*", page: lazy(() => import("../pages/explorer/Details")), title: "Resource" },
];
