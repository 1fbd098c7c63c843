namespace Darkroom.Api.Access;

public static class ApiKeyDefaults
{
    public const string Scheme = "ApiKey";
    public const string OwnerClaim = "owner_id";
    public const string OwnerNameClaim = "owner_name";
    public const string ScopeClaim = "scope";
    public const string PrefixClaim = "key_prefix";
}
