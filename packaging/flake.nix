# `nix run 'git+file:.?dir=packaging' -- demo`, from the top folder.
{
  description = "top for a whole stack: Postgres, Redis and job queues, Elasticsearch and Prometheus on one terminal screen";
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
  outputs = { self, nixpkgs }:
    let
      manifest = builtins.fromTOML (builtins.readFile ../Cargo.toml);
      each = nixpkgs.lib.genAttrs [ "x86_64-linux" "aarch64-linux" ];
    in {
      packages = each (system:
        let pkgs = nixpkgs.legacyPackages.${system}.pkgsStatic;
        in {
          default = pkgs.rustPlatform.buildRustPackage {
            pname = manifest.package.name;
            version = manifest.package.version;
            src = ../.;
            cargoLock.lockFile = ../Cargo.lock;
            buildType = "fat";
            # The tests want servers: `tests/run`.
            doCheck = false;
            nativeBuildInputs = [ pkgs.buildPackages.installShellFiles ];
            postInstall = pkgs.lib.optionalString (pkgs.stdenv.buildPlatform.canExecute pkgs.stdenv.hostPlatform) ''
              $out/bin/stacktop man > stacktop.1
              installManPage stacktop.1
              for shell in bash zsh fish; do
                $out/bin/stacktop completions $shell > stacktop.$shell
                installShellCompletion --cmd stacktop --$shell stacktop.$shell
              done
            '';
            meta.mainProgram = "stacktop";
          };
        });
    };
}
