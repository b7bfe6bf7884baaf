Console.WriteLine("userfault");
